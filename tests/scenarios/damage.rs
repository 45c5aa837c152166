//! Files that were damaged, lost or exchanged: told in one clear sentence that says what to do; nothing is made worse, and
//! what can be had again comes back by itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use joinery_tests::{
    Agent, DeviceKind, ROOM, World, assert_sentence, files_under, in_minutes, kept_meeting, webex,
};

/// Everything is as it was, and goes on.
#[track_caller]
fn goes_on(world: &mut World, panel: &Agent) {
    world.connector.start();
    world.tenant.create(ROOM, &webex("Later", in_minutes(4), 60)).unwrap();
    panel.wait_for_subjects(&["Later", "Kept"]);
    assert_eq!(world.connector.devices().len(), 1);
}

mod keys {
    use super::*;

    /// `damage` is done to the key file; `run` tells by these words; the old file makes everything good again.
    fn check(damage: impl FnOnce(&Path), words: &[&str]) {
        let (mut world, panel) = kept_meeting();
        world.connector.stop();
        let kek = world.connector.key_file();
        let kept = fs::read(&kek).unwrap();
        let database = fs::read(world.connector.database()).unwrap();
        damage(&kek);
        let file = kek.display().to_string();
        let words: Vec<&str> = std::iter::once(file.as_str()).chain(words.iter().copied()).collect();
        world.connector.run_to_end().fails(1, &words);
        assert_eq!(fs::read(world.connector.database()).unwrap(), database, "the database was touched");
        let _gone = fs::remove_file(&kek);
        fs::write(&kek, kept).unwrap();
        fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).unwrap();
        goes_on(&mut world, &panel);
        world.finish();
    }

    #[test]
    fn check_tells_it_before_the_daemon_is_started() {
        let (mut world, _panel) = kept_meeting();
        world.connector.stop();
        let kek = world.connector.key_file();
        let fails = |words: &[&str]| {
            let check = world.connector.call(&["check"]);
            assert_eq!(check.code, Some(1), "{}", check.out);
            let failed: Vec<&str> = check.out.lines().filter(|line| line.starts_with("FAILED")).collect();
            assert_eq!(failed.len(), 1, "{}", check.out);
            assert_sentence("check", failed[0], words);
        };
        fs::set_permissions(&kek, fs::Permissions::from_mode(0o640)).unwrap();
        fails(&["keys", &kek.display().to_string(), "chmod 0600"]);
        fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).unwrap();
        let own = fs::read(&kek).unwrap();
        let other = World::new();
        fs::write(&kek, fs::read(other.connector.key_file()).unwrap()).unwrap();
        other.finish();
        fails(&["keys", &kek.display().to_string()]);
        fs::write(&kek, own).unwrap();
        assert_eq!(world.connector.call(&["check"]).code, Some(0));
        world.finish();
    }

    #[test]
    fn a_missing_file() {
        check(|kek| fs::remove_file(kek).unwrap(), &["restore"]);
    }

    #[test]
    fn a_garbled_file() {
        check(
            |kek| {
                let mut bytes = fs::read(kek).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(kek, bytes).unwrap();
            },
            &["restore"],
        );
    }

    #[test]
    fn a_cut_file() {
        check(
            |kek| {
                let bytes = fs::read(kek).unwrap();
                fs::write(kek, &bytes[..bytes.len() / 2]).unwrap();
            },
            &["bytes", "restore"],
        );
    }

    #[test]
    fn a_file_that_others_can_read() {
        check(|kek| fs::set_permissions(kek, fs::Permissions::from_mode(0o644)).unwrap(), &["chmod 0600"]);
    }

    #[test]
    fn another_installations_file() {
        let other = World::new();
        let bytes = fs::read(other.connector.key_file()).unwrap();
        other.finish();
        check(|kek| fs::write(kek, bytes).unwrap(), &["key"]);
    }
}

mod database {
    use super::*;

    #[test]
    fn a_damaged_one_is_left_as_it_is_and_told() {
        let (mut world, panel) = kept_meeting();
        world.connector.stop();
        let path = world.connector.database();
        let good = fs::read(&path).unwrap();
        let file = path.display().to_string();
        type Damage = fn(&mut Vec<u8>);
        let damages: [(&str, Damage); 3] = [
            ("overwritten", |bytes| bytes.fill(0x5a)),
            ("a page overwritten", |bytes| bytes[4096..8192].fill(0x5a)),
            ("cut", |bytes| bytes.truncate(5000)),
        ];
        for (what, damage) in damages {
            let mut bytes = good.clone();
            damage(&mut bytes);
            fs::write(&path, &bytes).unwrap();
            println!("{what}: {}", world.connector.run_to_end().fails(1, &[&file, "restore"]));
            assert_eq!(fs::read(&path).unwrap(), bytes, "{what}: the damaged file was changed");
        }
        for rest in ["-wal", "-shm"] {
            let _none = fs::remove_file(format!("{file}{rest}"));
        }
        fs::write(&path, &good).unwrap();
        goes_on(&mut world, &panel);
        world.finish();
    }

    #[test]
    fn a_folder_that_does_not_exist_is_told() {
        let world = World::plan().database("/nonexistent/joinery/connector.db").build();
        world.connector.run_to_end().fails(1, &["/nonexistent/joinery/connector.db", "folder", "create it"]);
        world.finish();
    }
}

mod device {
    use super::*;

    /// Each file of the cache in turn is cut, emptied, garbled and removed: the list is right again by itself.
    #[test]
    fn a_damaged_cache_is_told_and_comes_back_from_the_connector() {
        let (world, mut panel) = kept_meeting();
        let cache = |panel: &Agent| -> Vec<PathBuf> {
            let files = files_under(&panel.state_dir()).into_iter();
            files.filter(|file| !file.display().to_string().contains("identity")).collect()
        };
        panel.stop();
        assert!(
            cache(&panel).iter().any(|file| fs::metadata(file).unwrap().len() > 100),
            "there is no cache"
        );
        type Damage = fn(&Path);
        let damages: [(&str, Damage); 4] = [
            ("cut", |file| {
                let bytes = fs::read(file).unwrap();
                fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
            }),
            ("emptied", |file| fs::write(file, b"").unwrap()),
            ("garbled", |file| {
                let mut bytes = fs::read(file).unwrap();
                bytes.iter_mut().step_by(7).for_each(|byte| *byte ^= 0x55);
                fs::write(file, bytes).unwrap();
            }),
            ("removed", |file| fs::remove_file(file).unwrap()),
        ];
        for (what, damage) in damages {
            for file in cache(&panel) {
                println!("{what}: {}", file.display());
                damage(&file);
                panel.start();
                panel.wait_for_connection("online");
                panel.wait_for_subjects(&["Kept"]);
                panel.stop();
            }
        }
        world.finish();
    }

    #[test]
    fn a_damaged_identity_is_told_and_nothing_is_made_up() {
        let (world, mut panel) = kept_meeting();
        panel.stop();
        let files: Vec<PathBuf> = files_under(&panel.state_dir().join("identity").canonicalize().unwrap());
        assert!(files.len() >= 5);
        for file in files {
            let kept = fs::read(&file).unwrap();
            fs::write(&file, b"").unwrap();
            panel.start();
            assert_sentence("identity", &panel.wait_for_problem("identity-damaged"), &["identity", "enroll"]);
            panel.call(&["meetings"]).done();
            panel.stop();
            fs::write(&file, kept).unwrap();
        }
        panel.start();
        panel.wait_for_connection("online");
        world.finish();
    }
}

mod rows {
    use super::*;
    use rusqlite::Connection;

    /// While the connector is stopped, `damage` is done to its database. Afterwards both the old device and a new one
    /// show what the calendar holds.
    fn check(damage: impl FnOnce(&Connection)) {
        let (mut world, panel) = kept_meeting();
        world.tenant.create(ROOM, &webex("Other", in_minutes(2), 60)).unwrap();
        panel.wait_for_subjects(&["Kept", "Other"]);
        world.connector.stop();
        let database = Connection::open(world.connector.database()).unwrap();
        damage(&database);
        database.close().unwrap();
        world.connector.start();
        world.connector.wait_for_fresh_round(ROOM);
        panel.wait_for_connection("online");
        assert_eq!(panel.meetings().subjects(), ["Kept", "Other"]);
        let late = world.agent("late", ROOM, DeviceKind::Room);
        late.wait_for_subjects(&["Kept", "Other"]);
        world.tenant.create(ROOM, &webex("Later", in_minutes(4), 60)).unwrap();
        for device in [&panel, &late] {
            device.wait_for_subjects(&["Later", "Kept", "Other"]);
        }
        world.finish();
    }

    fn change(database: &Connection, statement: &str, rows: usize) {
        assert_eq!(database.execute(statement, []).unwrap(), rows, "{statement}");
    }

    #[test]
    fn a_row_that_was_changed_is_written_again() {
        let last_byte = "substr(sealed, 1, length(sealed) - 1) || x'00'";
        check(|database| {
            change(
                database,
                &format!("UPDATE meeting SET sealed = CAST({last_byte} AS BLOB) WHERE rowid = 1"),
                1,
            );
        });
    }

    /// The associated data binds a row to its place.
    #[test]
    fn rows_that_were_exchanged_are_written_again() {
        check(|database| {
            let other = "(SELECT sealed FROM meeting AS other WHERE other.id <> meeting.id)";
            database.execute_batch("CREATE TEMP TABLE swapped AS SELECT id, sealed FROM meeting;").unwrap();
            let other = other.replace("FROM meeting AS other", "FROM swapped AS other");
            change(database, &format!("UPDATE meeting SET sealed = {other}"), 2);
        });
    }

    #[test]
    fn rows_that_were_deleted_are_written_again_after_a_resync() {
        let (mut world, panel) = kept_meeting();
        world.connector.stop();
        let database = Connection::open(world.connector.database()).unwrap();
        change(&database, "DELETE FROM meeting", 1);
        database.close().unwrap();
        world.connector.start();
        world.connector.call(&["mailbox", "resync", ROOM]).done();
        world.connector.wait_for_mailbox(ROOM, "its meeting", |line| line.meetings == 1);
        world.agent("late", ROOM, DeviceKind::Room).wait_for_subjects(&["Kept"]);
        assert_eq!(panel.meetings().subjects(), ["Kept"]);
        world.finish();
    }

    #[test]
    fn a_delta_link_that_was_changed_is_asked_for_again() {
        let changed = "CAST(substr(state, 1, length(state) - 1) || x'00' AS BLOB)";
        check(|database| change(database, &format!("UPDATE mailbox SET state = {changed}"), 1));
        check(|database| change(database, "UPDATE mailbox SET state = NULL", 1));
    }

    /// What rests in the clear, and nothing else: sizes are padded to steps of 256 bytes.
    #[test]
    fn rows_tell_nothing_by_their_size() {
        let (mut world, panel) = kept_meeting();
        let long = "long ".repeat(70);
        world.tenant.create(ROOM, &webex("x", in_minutes(1), 60)).unwrap();
        world.tenant.create(ROOM, &webex(long.trim(), in_minutes(2), 60)).unwrap();
        panel.wait_for_list("three meetings", |list| list.meetings.len() == 3);
        world.connector.stop();
        let database = Connection::open(world.connector.database()).unwrap();
        for table in ["meeting", "record"] {
            let mut statement = database.prepare(&format!("SELECT length(sealed) FROM {table}")).unwrap();
            let sizes: Vec<i64> =
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            assert!(sizes.len() >= 3, "{table}");
            // Version, epoch and nonce before, the tag behind.
            let frame = 1 + 4 + 12 + 16;
            assert!(sizes.iter().all(|size| (size - frame) % 256 == 0), "{table}: {sizes:?}");
        }
        world.finish();
    }
}
