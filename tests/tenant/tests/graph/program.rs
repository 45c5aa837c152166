//! The program: starts, says where it is, and is used through its control interface.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

#[tokio::test]
async fn the_program_says_where_it_is() {
    let directory = std::env::temp_dir().join(format!("joinery-tenant-program-{}", std::process::id()));
    let mut program = Command::new(env!("CARGO_BIN_EXE_joinery-tenant"))
        .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--seed-demo", "--state-dir"])
        .arg(&directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let summary: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(summary["mailboxes"], json!([joinery_tenant::DEMO_ROOM, joinery_tenant::DEMO_PERSON]));
    let written: Value =
        serde_json::from_str(&std::fs::read_to_string(directory.join("tenant.json")).unwrap()).unwrap();
    assert_eq!(written, summary);

    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(&std::fs::read(directory.join("ca.pem")).unwrap()).unwrap();
    let http = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
    let domains = format!("{}/v1.0/domains", summary["graph_url"].as_str().unwrap());
    assert_eq!(http.get(domains).send().await.unwrap().status(), 401);
    let violations = format!("{}/control/violations", summary["control"].as_str().unwrap());
    assert_eq!(http.get(violations).send().await.unwrap().json::<Value>().await.unwrap()["count"], 1);

    program.kill().unwrap();
    program.wait().unwrap();
    std::fs::remove_dir_all(directory).unwrap();
}
