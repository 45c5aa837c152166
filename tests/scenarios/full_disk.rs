//! Disks that are full: what must be written to be true is not pretended, everything else goes on, nothing is lost.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use joinery_tests::{DeviceKind, ROOM, World, assert_sentence, in_minutes, wait_until, webex};

/// A file system of its own, small enough to be filled.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(&at).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(at))
    }

    /// Takes all space, down to the last byte.
    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("ballast")).unwrap();
        for block in [65_536, 4096, 512, 1] {
            while std::io::Write::write_all(&mut file, &vec![7; block]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _failed = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_nothing_but_what_needs_it_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path().join("disk")) else {
        println!("skipped: a tmpfs cannot be mounted here");
        return;
    };
    let database = disk.0.join("connector.db").display().to_string();
    let mut world = World::plan().database(database.clone()).start();
    let panel = world.room();
    world.tenant.create(ROOM, &webex("Kept", in_minutes(3), 60)).unwrap();
    panel.wait_for_subjects(&["Kept"]);

    disk.fill();
    // More than what SQLite may still have room for in its files.
    for number in 0..200 {
        world.tenant.create(ROOM, &webex(&format!("N{number}"), in_minutes(120 + number), 30)).unwrap();
    }
    let line = world.connector.wait_for_state(ROOM, "failing");
    let problem = line.problem.unwrap();
    assert_eq!(problem.code, "store-full");
    assert_sentence("the problem", &problem.message, &[&database, "space"]);
    let list = panel.meetings();
    assert_eq!((list.connection.as_str(), list.subjects()), ("online", vec!["Kept"]));
    // What must be written to be true is refused, not pretended.
    world.connector.call(&["mailbox", "add", "room.two@contoso.example"]).fails(1, &["space"]);
    world.connector.kill();
    disk.free();
    world.connector.start();
    panel.wait_for_list("everything", |list| list.meetings.len() == 201);

    // Again, and this time space comes back while it runs.
    disk.fill();
    for number in 0..200 {
        world.tenant.create(ROOM, &webex(&format!("M{number}"), in_minutes(120 + number), 30)).unwrap();
    }
    world.connector.wait_for_state(ROOM, "failing");
    disk.free();
    panel.wait_for_list("everything", |list| list.meetings.len() == 401);
    world.finish();
}

#[test]
fn a_device_whose_disk_is_full_shows_what_it_is_told_and_acknowledges_nothing() {
    let world = World::new();
    world.mailbox(ROOM);
    let Some(disk) = SmallDisk::mount(world.folder.at("panel")) else {
        println!("skipped: a tmpfs cannot be mounted here");
        return;
    };
    let mut panel = world.enrolled("panel", ROOM, DeviceKind::Room);
    panel.start();
    world.tenant.create(ROOM, &webex("Kept", in_minutes(3), 60)).unwrap();
    panel.wait_for_subjects(&["Kept"]);
    let acknowledged = || world.connector.devices()[0].acknowledged.unwrap_or_default();
    wait_until("the acknowledgement", || acknowledged() == world.connector.mailbox(ROOM).revision);
    let before = acknowledged();

    disk.fill();
    world.tenant.create(ROOM, &webex("Unsaved", in_minutes(4), 60)).unwrap();
    panel.wait_for_subjects(&["Unsaved", "Kept"]);
    wait_until("the device's word that it could not save", || panel.status()["unsaved"] == true);
    assert_eq!(acknowledged(), before, "acknowledged what is not on the disk");
    // What was saved before is still there, and the rest comes again.
    panel.kill();
    assert_eq!(panel.meetings().subjects(), ["Kept"]);
    panel.start();
    panel.wait_for_subjects(&["Unsaved", "Kept"]);
    disk.free();
    wait_until("the acknowledgement", || acknowledged() == world.connector.mailbox(ROOM).revision);
    panel.kill();
    assert_eq!(panel.meetings().subjects(), ["Unsaved", "Kept"]);
    world.finish();
}
