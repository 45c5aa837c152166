//! Microsoft refuses or is not there: the operator is told what to do, devices go on with what they have, and reading goes
//! on by itself once the reason is gone.

use std::fs;

use joinery_tenant::MailboxKind;
use joinery_tests::{Port, ROOM, World, assert_sentence, in_minutes, kept_meeting, webex};

#[track_caller]
fn problem(world: &World, code: &str, words: &[&str]) {
    let line = world.connector.wait_for_mailbox(ROOM, code, |line| {
        line.problem.as_ref().is_some_and(|problem| problem.code == code)
    });
    assert_sentence(code, &line.problem.unwrap().message, words);
    let check = world.connector.call(&["check", "--mailbox", ROOM]);
    assert_eq!(check.code, Some(1), "{}", check.out);
    let failed: Vec<&str> = check.out.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert_eq!(failed.len(), 1, "{}", check.out);
    assert_sentence("check", failed[0], words);
}

fn add(world: &World) {
    world.tenant.add_mailbox(ROOM, MailboxKind::Room).unwrap();
    world.connector.add_mailbox(ROOM);
}

#[test]
fn a_wrong_secret_is_told_and_a_right_one_is_taken_while_running() {
    let world = World::new();
    let good = world.tenant.client_secret();
    world.folder.write("client_secret", "not-the-secret");
    add(&world);
    problem(&world, "entra-wrong-secret", &["client_secret_file", "Entra admin center"]);
    fs::remove_file(world.folder.at("client_secret")).unwrap();
    problem(&world, "graph-secret-file", &["client_secret_file", "client_secret"]);
    world.folder.write("client_secret", good);
    world.connector.wait_for_state(ROOM, "ok");
    assert_eq!(world.connector.call(&["check", "--mailbox", ROOM, "--write"]).code, Some(0));
    // A wrong secret is what the tenant rightly counts.
    let others = |violation: &joinery_tenant::Violation| !violation.target.ends_with("/oauth2/v2.0/token");
    assert!(!world.tenant.violations().iter().any(others));
    world.tenant.clear_record();
    world.finish();
}

#[test]
fn an_expired_secret_is_told_while_the_device_goes_on() {
    let (world, panel) = kept_meeting();
    world.tenant.expire_secret(true).unwrap();
    world.tenant.revoke_tokens().unwrap();
    problem(&world, "entra-expired-secret", &["client_secret_file", "expired"]);
    assert_eq!(panel.meetings().subjects(), ["Kept"]);
    world.tenant.expire_secret(false).unwrap();
    world.connector.wait_for_state(ROOM, "ok");
    world.finish();
}

#[test]
fn an_address_where_nobody_answers_is_told() {
    let dead = Port::free();
    let mut world = World::plan().build();
    let text = fs::read_to_string(&world.connector.config).unwrap();
    let graph = format!("graph_url = \"{}\"", world.tenant.graph_url());
    let wrong = format!("graph_url = \"https://localhost:{}\"", dead.number());
    let authority = format!("authority_url = \"{}\"", world.tenant.authority_url());
    let wrong_authority = format!("authority_url = \"https://localhost:{}\"", dead.number());
    world.connector.configure(&text.replace(&graph, &wrong).replace(&authority, &wrong_authority));
    world.connector.start();
    add(&world);
    problem(&world, "graph-unreachable", &["localhost", "check the network"]);
    world.connector.stop();
    world.connector.configure(&text);
    world.connector.start();
    world.connector.wait_for_state(ROOM, "ok");
    world.finish();
}

#[test]
fn a_server_that_is_not_trusted_is_told() {
    let stranger = World::plan().build();
    let ca = stranger.tenant.ca_pem().to_owned();
    let mut world = World::plan().build();
    world.folder.write("tenant_ca.pem", ca);
    world.connector.start();
    add(&world);
    problem(&world, "graph-untrusted", &["localhost", "ca_file"]);
    stranger.finish();
    world.finish();
}

#[test]
fn a_mailbox_that_may_not_be_read_is_told_and_the_others_go_on() {
    let (world, panel) = kept_meeting();
    world.mailbox("room.two@contoso.example");
    world.connector.wait_for_state("room.two@contoso.example", "ok");
    let two = "room.two@contoso.example";
    world.tenant.deny_access(two, true).unwrap();
    let line = world.connector.wait_for_state(two, "failing");
    assert_sentence("denied", &line.problem.unwrap().message, &["Calendars.Read"]);
    world.tenant.create(ROOM, &webex("Later", in_minutes(4), 60)).unwrap();
    panel.wait_for_subjects(&["Later", "Kept"]);
    world.tenant.deny_access(two, false).unwrap();
    world.connector.wait_for_state(two, "ok");
    world.tenant.unlicensed(two, true).unwrap();
    let line = world.connector.wait_for_state(two, "failing");
    assert_sentence("unlicensed", &line.problem.unwrap().message, &["licen"]);
    world.finish();
}

#[test]
fn wrong_addresses_of_mailboxes_are_told() {
    let world = World::new();
    let add = |address: &str| world.connector.call(&["mailbox", "add", address]);
    let said = add("nobody").err;
    assert!(said.contains("nobody") && said.contains("name@domain"), "{said}");
    let said = add("dana@elsewhere.example").err;
    assert!(said.contains("elsewhere.example") && said.contains("domains"), "{said}");
    // An address that the tenant does not have is noticed when it is read.
    world.connector.add_mailbox("ghost@contoso.example");
    let line = world.connector.wait_for_state("ghost@contoso.example", "failing");
    assert_sentence("ghost", &line.problem.unwrap().message, &["mailbox"]);
    world.connector.call(&["mailbox", "remove", "ghost@contoso.example"]).done();
    world
        .connector
        .call(&["mailbox", "remove", "ghost@contoso.example"])
        .fails(1, &["ghost@contoso.example"]);
    // Asking for somebody who is not there is what the tenant rightly counts.
    assert!(world.tenant.violations().iter().all(|violation| violation.code == "ErrorInvalidUser"));
    world.tenant.clear_record();
    world.finish();
}
