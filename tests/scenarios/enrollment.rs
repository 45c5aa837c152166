//! Devices come by a code and go by a word, all through the command lines.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use joinery_tests::{
    Agent, Called, Code, DeviceKind, PATIENCE, ROOM, Wire, World, in_minutes, wait_until, wait_within, webex,
};

/// A code that differs from `code` in its last digit: it names the same invitation.
fn wrong(code: &Code) -> String {
    let (front, last) = code.code.split_at(code.code.len() - 1);
    format!("{front}{}", (last.parse::<u8>().unwrap() + 1) % 10)
}

fn enroll(agent: &Agent, port: u16, code: &str) -> Called {
    agent.call(&["enroll", "--connector", &format!("127.0.0.1:{port}"), "--code", code])
}

#[test]
fn a_device_is_enrolled_renamed_shown_and_revoked() {
    let world = World::new();
    world.mailbox(ROOM);
    let code = world.connector.invite(ROOM, DeviceKind::Room);
    assert_eq!((code.mailbox.as_str(), code.kind.as_str(), code.code.len()), (ROOM, "room", 19));
    let life = code.expires.duration_since(Timestamp::now());
    assert!(life > SignedDuration::from_hours(23) && life <= SignedDuration::from_hours(24), "{life:#}");
    let mut panel = world.new_agent("panel");
    let port = world.connector.enrollment.number();
    enroll(&panel, port, &code.code.replace(' ', "-")).done();
    panel.start();
    panel.wait_for_connection("online");
    let device = world.connector.devices().pop().unwrap();
    assert_eq!(device.state, "online");

    let show = |name: &str| -> serde_json::Value {
        world.connector.call(&["device", "show", name, "--json"]).json()
    };
    world.connector.call(&["device", "rename", &device.id[..8], "Board room"]).done();
    assert_eq!(
        (&show("Board room")["id"], &show("Board room")["mailbox"]),
        (&device.id.into(), &ROOM.into())
    );
    world.connector.call(&["device", "show", "Attic"]).fails(1, &["Attic", "device list"]);
    world.connector.call(&["device", "revoke", "Board room"]).done();
    assert_eq!(show("Board room")["state"], "revoked");
    world.finish();
}

#[test]
fn a_code_is_good_once() {
    let world = World::new();
    world.mailbox(ROOM);
    let code = world.connector.invite(ROOM, DeviceKind::Room);
    world.new_agent("first").enroll(&code.url);
    let mut second = world.new_agent("second");
    second.call(&["enroll", &code.url]).fails(1, &["used", "device invite"]);
    assert_eq!(world.connector.devices().len(), 1);
    // It waits for a code of its own, and goes on by itself when it has one.
    second.start();
    second.wait_for_problem("not-enrolled");
    second.enroll(&world.connector.invite(ROOM, DeviceKind::Room).url);
    second.wait_for_connection("online");
    world.finish();
}

#[test]
fn five_wrong_tries_burn_a_code() {
    let world = World::new();
    world.mailbox(ROOM);
    let port = world.connector.enrollment.number();
    let code = world.connector.invite(ROOM, DeviceKind::Room);
    let agent = world.new_agent("panel");
    for _ in 0..4 {
        enroll(&agent, port, &wrong(&code)).fails(1, &["code", "address"]);
    }
    // Four wrong ones leave it good; try the fifth.
    enroll(&agent, port, &wrong(&code)).fails(1, &["code"]);
    // The right one is answered like a wrong one now: nobody learns that it was burned.
    enroll(&agent, port, &code.code).fails(1, &["code", "device invite"]);
    assert_eq!(world.connector.devices().len(), 0);
    // A new invitation is not touched by this.
    agent.enroll(&world.connector.invite(ROOM, DeviceKind::Room).url);
    assert_eq!(world.connector.devices().len(), 1);
    world.finish();
}

#[test]
fn four_wrong_tries_do_not_burn_a_code_and_a_restart_does_not_forget_them() {
    let mut world = World::new();
    world.mailbox(ROOM);
    let port = world.connector.enrollment.number();
    let (burned, good) =
        (world.connector.invite(ROOM, DeviceKind::Room), world.connector.invite(ROOM, DeviceKind::Room));
    let agent = world.new_agent("panel");
    for _ in 0..4 {
        enroll(&agent, port, &wrong(&burned)).fails(1, &["code"]);
    }
    for _ in 0..2 {
        enroll(&agent, port, &wrong(&good)).fails(1, &["code"]);
    }
    world.connector.kill();
    world.connector.start();
    enroll(&agent, port, &wrong(&burned)).fails(1, &["code"]);
    enroll(&agent, port, &burned.code).fails(1, &["code"]);
    enroll(&agent, port, &good.code).done();
    world.finish();
}

#[test]
fn a_code_that_nobody_gave_looks_like_a_wrong_one() {
    let world = World::new();
    world.mailbox(ROOM);
    let port = world.connector.enrollment.number();
    let code = world.connector.invite(ROOM, DeviceKind::Room);
    let agent = world.new_agent("panel");
    let known = enroll(&agent, port, &wrong(&code)).fails(1, &["code"]);
    let other = if code.code.starts_with('9') { "1111 1122 2222 2222" } else { "9999 9922 2222 2222" };
    let unknown = enroll(&agent, port, other).fails(1, &["code"]);
    assert_eq!(known, unknown);
    world.finish();
}

#[test]
fn a_lost_reply_does_not_cost_the_code() {
    let world = World::new();
    world.mailbox(ROOM);
    let wire = Wire::to(world.connector.enrollment.number());
    // How much the connector says in an enrollment that goes well.
    let measure = world.connector.invite(ROOM, DeviceKind::Room);
    enroll(&world.new_agent("other"), wire.port(), &measure.code).done();
    let whole = wire.carried();
    // Its last word is the certificate; cut in the middle of it.
    wire.cut_after(whole - 500);
    let code = world.connector.invite(ROOM, DeviceKind::Room);
    let mut panel = world.new_agent("panel");
    enroll(&panel, wire.port(), &code.code).fails(1, &["again"]);
    wait_until("the connector's record of the device", || world.connector.devices().len() == 2);
    let before = world.connector.devices();

    enroll(&panel, world.connector.enrollment.number(), &code.code).done();
    let ids = |devices: &[joinery_tests::DeviceLine]| -> Vec<String> {
        let mut ids: Vec<_> = devices.iter().map(|device| device.id.clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&world.connector.devices()), ids(&before));
    panel.start();
    panel.wait_for_connection("online");
    world.finish();
}

/// Cut anywhere in the conversation, a second run with the same code works, and there is never a device too many.
#[test]
fn an_enrollment_cut_anywhere_can_be_repeated() {
    let world = World::new();
    world.mailbox(ROOM);
    let wire = Wire::to(world.connector.enrollment.number());
    let measure = world.connector.invite(ROOM, DeviceKind::Room);
    enroll(&world.new_agent("other"), wire.port(), &measure.code).done();
    let whole = wire.carried();
    let code = world.connector.invite(ROOM, DeviceKind::Room);
    let panel = world.new_agent("panel");
    for part in [1, 2, 3] {
        wire.cut_after(whole * part / 4);
        assert_ne!(enroll(&panel, wire.port(), &code.code).code, Some(0), "cut after {part}/4");
    }
    wire.cut_after(u64::MAX);
    enroll(&panel, wire.port(), &code.code).done();
    assert_eq!(world.connector.devices().len(), 2);
    world.finish();
}

#[test]
fn a_revoked_device_is_cut_within_a_second_and_stays_out() {
    let world = World::new();
    let mut panel = world.room();
    let other = world.agent("other", ROOM, DeviceKind::Room);
    world.tenant.create(ROOM, &webex("Before", in_minutes(60), 30)).unwrap();
    panel.wait_for_subjects(&["Before"]);
    let watch = panel.watch();
    let mine: String = panel.status()["device"].as_str().unwrap().to_owned();
    let told = Timestamp::now();
    world.connector.call(&["device", "revoke", &mine]).done();
    let cut = watch.wait_for_any("the cut", |happening| happening.is_connection("offline")).at;
    let took = cut.duration_since(told);
    println!("cut {took:#} after the operator's word");
    assert!(took < SignedDuration::from_secs(1), "{took:#}");

    world.tenant.create(ROOM, &webex("After", in_minutes(90), 30)).unwrap();
    other.wait_for_subjects(&["Before", "After"]);
    // Neither by itself nor after a restart does it get anything.
    panel.stop();
    panel.start();
    println!("{}", panel.wait_for_problem("device-revoked"));
    let list = panel.meetings();
    assert!(list.connection == "offline" && list.find("After").is_none());
    let state = |name: &str| -> serde_json::Value {
        world.connector.call(&["device", "show", name, "--json"]).json()
    };
    assert_eq!(state(&mine)["state"], "revoked");
    world.finish();
}

#[test]
fn a_revocation_holds_over_a_crash_of_the_connector() {
    let mut world = World::new();
    let panel = world.room();
    let id = world.connector.devices()[0].id.clone();
    world.connector.call(&["device", "revoke", &id]).done();
    world.connector.kill();
    world.connector.start();
    assert_eq!(world.connector.devices()[0].state, "revoked");
    println!("{}", panel.wait_for_problem("device-revoked"));
    assert_eq!(panel.meetings().connection, "offline");
    world.finish();
}

#[test]
fn an_invitation_ends_with_its_time() {
    let world = World::new();
    world.mailbox(ROOM);
    let code: Code = world.connector.call(&["device", "invite", ROOM, "--ttl", "1m", "--json"]).json();
    world.connector.call(&["device", "invite", ROOM, "--ttl", "1s"]).fails(2, &["--ttl", "1m"]);
    world.connector.call(&["device", "invite", ROOM, "--ttl", "soon"]).fails(2, &["--ttl"]);
    world.connector.call(&["device", "invite", "nobody@contoso.example"]).fails(1, &["mailbox add"]);
    wait_within(PATIENCE + Duration::from_secs(60), "the end of the invitation", || {
        (Timestamp::now() > code.expires).then_some(())
    });
    let agent = world.new_agent("panel");
    enroll(&agent, world.connector.enrollment.number(), &code.code).fails(1, &["code"]);
    assert_eq!(world.connector.devices().len(), 0);
    world.finish();
}

#[test]
fn a_removed_mailbox_takes_its_devices_and_codes_along() {
    let world = World::new();
    let panel = world.room();
    world.tenant.create(ROOM, &webex("Standing", in_minutes(2), 30)).unwrap();
    panel.wait_for_subjects(&["Standing"]);
    let code = world.connector.invite(ROOM, DeviceKind::Room);
    world.connector.call(&["mailbox", "remove", ROOM]).done();
    assert_eq!(world.connector.devices().len(), 0);
    panel.wait_for_connection("offline");
    let late = world.new_agent("late");
    enroll(&late, world.connector.enrollment.number(), &code.code).fails(1, &["code"]);
    world.connector.call(&["mailbox", "show", ROOM]).fails(1, &[ROOM, "mailbox add"]);
    world.finish();
}
