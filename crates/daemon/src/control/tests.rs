use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::Shutdown;

/// A daemon that knows a few calls, and what happened in it.
struct Daemon {
    folder: tempfile::TempDir,
    stop: Shutdown,
    serving: JoinHandle<()>,
    /// Handlers that have come to their end.
    finished: Arc<AtomicUsize>,
    /// Lets "slow" go on.
    go_on: Arc<Notify>,
    started: Arc<Notify>,
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = Listener::bind(&folder.path().join("sock")).unwrap();
        let stop = Shutdown::new();
        let (finished, go_on, started) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let shared = (Arc::clone(&finished), Arc::clone(&go_on), Arc::clone(&started));
        let handler = move |request: Value, answers: Answers, peer: Peer| {
            let (finished, go_on, started) = shared.clone();
            async move {
                let ended = match request["do"].as_str() {
                    Some("who") => {
                        answers.send(&json!({"uid": peer.uid, "pid": peer.pid})).await.map_err(Into::into)
                    }
                    Some("count") => count(&answers, request["to"].as_u64().unwrap_or(0)).await,
                    Some("nothing") => Ok(()),
                    Some("refuse") => Err(Refusal::new("mailbox-unknown", "no such mailbox; add it first")),
                    Some("slow") => {
                        started.notify_one();
                        go_on.notified().await;
                        answers.send(&"late").await.map_err(Into::into)
                    }
                    Some("wait") => {
                        started.notify_one();
                        answers.gone().await;
                        Ok(())
                    }
                    _ => Err(Refusal::wrong_call("call-unknown", "no such call")),
                };
                finished.fetch_add(1, Ordering::SeqCst);
                ended
            }
        };
        let serving = tokio::spawn(listener.serve(handler, stop.clone()));
        Self { folder, stop, serving, finished, go_on, started }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    async fn finished(&self, count: usize) {
        let reached = async {
            while self.finished.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), reached).await.expect("the handler did not end");
    }
}

async fn count(answers: &Answers, to: u64) -> Result<(), Refusal> {
    for number in 1..=to {
        answers.send(&number).await?;
    }
    Ok(())
}

/// What a caller sees of one call: its answers, then the code of the error if there was one.
async fn told(path: &Path, request: Value) -> (Vec<Value>, String) {
    let mut client = match Client::stream(path, &request).await {
        Ok(client) => client,
        Err(error) => return (vec![], error.code().to_owned()),
    };
    let mut items = Vec::new();
    loop {
        match client.next().await {
            Ok(Some(item)) => items.push(item),
            Ok(None) => return (items, String::new()),
            Err(error) => return (items, error.code().to_owned()),
        }
    }
}

/// Sends raw bytes and returns everything that comes back.
async fn raw(path: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    // The daemon may refuse before it has read all.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn calls_and_answers() {
    let daemon = Daemon::start();
    let path = daemon.path();
    let uid = rustix::process::geteuid().as_raw();
    let pid = rustix::process::getpid().as_raw_pid();
    let numbers: Vec<Value> = (1..=200).map(Value::from).collect();
    for (request, items, code) in [
        (json!({"do": "who"}), vec![json!({"uid": uid, "pid": pid})], ""),
        (json!({"do": "nothing"}), vec![], ""),
        (json!({"do": "count", "to": 200}), numbers, ""),
        (json!({"do": "refuse"}), vec![], "mailbox-unknown"),
        (json!({"do": "dance"}), vec![], "call-unknown"),
        (json!([1, 2]), vec![], "call-unknown"),
    ] {
        assert_eq!(told(&path, request.clone()).await, (items, code.to_owned()), "{request}");
    }
    assert_eq!(Client::call(&path, &json!({"do": "count", "to": 3})).await.unwrap(), json!(3));
    assert_eq!(Client::call(&path, &json!({"do": "nothing"})).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn refusals_keep_their_words_and_their_kind() {
    let daemon = Daemon::start();
    let met = Client::call(&daemon.path(), &json!({"do": "refuse"})).await.unwrap_err();
    assert_eq!((met.to_string().as_str(), met.is_wrong_call()), ("no such mailbox; add it first", false));
    let wrong = Client::call(&daemon.path(), &json!({"do": "dance"})).await.unwrap_err();
    assert_eq!((wrong.to_string().as_str(), wrong.is_wrong_call()), ("no such call", true));
}

#[tokio::test]
async fn what_is_no_request_gets_a_sentence() {
    let daemon = Daemon::start();
    let mut endless = vec![b'x'; MAX_REQUEST + 1];
    let refused = raw(&daemon.path(), &endless).await;
    assert!(refused.contains("longer than 1024 KiB; split it into several"), "{refused}");
    endless.resize(MAX_REQUEST, b'x');
    endless.push(b'\n');
    assert!(raw(&daemon.path(), &endless).await.contains("request-not-json"));
    assert!(raw(&daemon.path(), b"hello\n").await.contains("request-not-json"));
    assert!(raw(&daemon.path(), b"\xff\xfe\n").await.contains("request-not-json"));
    // And the daemon still answers others.
    assert_eq!(told(&daemon.path(), json!({"do": "nothing"})).await, (vec![], String::new()));
}

#[tokio::test]
async fn an_oversize_request_is_refused_in_words_to_our_own_client_too() {
    let daemon = Daemon::start();
    let request = json!({"do": "x".repeat(4 * MAX_REQUEST)});
    assert_eq!(told(&daemon.path(), request).await, (vec![], "request-too-long".to_owned()));
}

#[tokio::test]
async fn a_caller_that_hangs_up_ends_what_only_waits_and_not_what_works() {
    let daemon = Daemon::start();
    let waiting = Client::stream(&daemon.path(), &json!({"do": "wait"})).await.unwrap();
    daemon.started.notified().await;
    drop(waiting);
    daemon.finished(1).await;

    let working = Client::stream(&daemon.path(), &json!({"do": "slow"})).await.unwrap();
    daemon.started.notified().await;
    drop(working);
    assert_eq!(daemon.finished.load(Ordering::SeqCst), 1);
    daemon.go_on.notify_one();
    daemon.finished(2).await;

    // Half a request and away.
    let mut stream = UnixStream::connect(daemon.path()).await.unwrap();
    stream.write_all(b"{\"do\":").await.unwrap();
    drop(stream);
    // A flood that nobody reads ends too.
    let flood = Client::stream(&daemon.path(), &json!({"do": "count", "to": u64::MAX})).await.unwrap();
    drop(flood);
    daemon.finished(3).await;
}

#[tokio::test]
async fn stopping_lets_a_call_end_and_takes_the_socket_away() {
    let daemon = Daemon::start();
    let mut working = Client::stream(&daemon.path(), &json!({"do": "slow"})).await.unwrap();
    daemon.started.notified().await;
    daemon.stop.trigger();
    daemon.go_on.notify_one();
    assert_eq!(working.next().await.unwrap(), Some(json!("late")));
    assert_eq!(working.next().await.unwrap(), None);
    daemon.serving.await.unwrap();
    assert!(!daemon.folder.path().join("sock").exists());
    assert_eq!(told(&daemon.folder.path().join("sock"), json!({})).await.1, "not-running");
}

#[tokio::test]
async fn a_socket_in_use_is_refused_and_a_stale_one_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sock");
    // What a killed process leaves: a socket that nobody serves.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert_eq!(told(&path, json!({})).await.1, "not-running");

    let first = Listener::bind(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let second = Listener::bind(&path).unwrap_err();
    assert_eq!(second.code(), "already-running");
    assert!(second.to_string().starts_with("already running"), "{second}");
    assert!(path.exists(), "the loser takes nothing away");
    drop(first);
    drop(Listener::bind(&path).unwrap());
}

#[tokio::test]
async fn paths_that_cannot_be_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    for (path, code) in [
        (file.clone(), "socket-path-taken"),
        (folder.path().join("x".repeat(120)), "socket-path-too-long"),
        (folder.path().join("missing").join("sock"), "socket-listen"),
    ] {
        let error = Listener::bind(&path).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[tokio::test]
async fn a_daemon_that_dies_in_the_middle_is_told_from_one_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sock");
    for (says, items, code) in [
        ("{\"item\":1}\n{\"done\":true}\n", 1, ""),
        ("{\"item\":1}\n{\"ite", 1, "socket-cut"),
        ("{\"item\":1}\n", 1, "socket-cut"),
        ("", 0, "socket-cut"),
        ("HTTP/1.1 400 Bad Request\n", 0, "socket-not-understood"),
    ] {
        let _ = std::fs::remove_file(&path);
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(says.as_bytes()).await.unwrap();
        });
        let (got, end) = told(&path, json!({})).await;
        assert_eq!((got.len(), end.as_str()), (items, code), "{says}");
        serving.await.unwrap();
    }
}

/// Set, to the socket, in the child of the test below, which is this same test under another user.
const STRANGER: &str = "JOINERY_CONTROL_TEST_STRANGER";

/// Debian's `nobody`.
const NOBODY: u32 = 65534;

// Another user is needed, which only root can become; elsewhere the rule itself is tested beside `may_call`.
#[tokio::test(flavor = "multi_thread")]
async fn another_user_is_refused_even_where_the_socket_lets_it_in() {
    if let Some(path) = std::env::var_os(STRANGER) {
        let (items, code) = told(Path::new(&path), json!({"do": "who"})).await;
        assert_eq!((items, code.as_str()), (vec![], "caller-denied"));
        return;
    }
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let daemon = Daemon::start();
    let open =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    open(daemon.folder.path(), 0o755);
    open(&daemon.path(), 0o666);
    // The test itself may lie where nobody but root can read; a copy beside the socket can be run by all.
    let program = daemon.folder.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    open(&program, 0o755);
    let name = "control::tests::another_user_is_refused_even_where_the_socket_lets_it_in";
    let path = daemon.path();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new(program)
            .args(["--exact", name])
            .env(STRANGER, path)
            .uid(NOBODY)
            .gid(NOBODY)
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    assert_eq!(daemon.finished.load(Ordering::SeqCst), 0, "the handler was never asked");
}
