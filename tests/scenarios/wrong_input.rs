//! What people, disks and networks get wrong: each ends in one clear sentence that says what to do, with the documented
//! exit code, and nothing is lost.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use joinery_tenant::MailboxKind;
use joinery_tests::{
    Agent, DeviceKind, Port, ROOM, World, assert_sentence, files_under, in_minutes, wait_for, webex,
};

/// A world in which the panel shows the meeting "Kept".
fn with_a_meeting() -> (World, Agent) {
    let world = World::new();
    let panel = world.room();
    world.tenant.create(ROOM, &webex("Kept", in_minutes(3), 60)).unwrap();
    panel.wait_for_subjects(&["Kept"]);
    (world, panel)
}

/// Everything is as it was, and goes on.
#[track_caller]
fn goes_on(world: &mut World, panel: &Agent) {
    world.connector.start();
    world.tenant.create(ROOM, &webex("Later", in_minutes(4), 60)).unwrap();
    panel.wait_for_subjects(&["Later", "Kept"]);
    assert_eq!(world.connector.devices().len(), 1);
}

mod configuration {
    use super::*;

    #[test]
    fn a_mistake_of_the_connectors_is_told_with_file_line_and_key() {
        let world = World::plan().build();
        let good = fs::read_to_string(&world.connector.config).unwrap();
        let check = |find: &str, put: &str, line: usize, words: &[&str]| {
            let text = good.replacen(find, put, 1);
            assert_ne!(text, good, "{find} is not there");
            world.connector.configure(&text);
            let (file, line) = (world.connector.config.display().to_string(), format!("line {line}"));
            let words: Vec<&str> =
                [file.as_str(), line.as_str()].into_iter().chain(words.iter().copied()).collect();
            for command in [&["run"][..], &["status"], &["check"], &["mailbox", "list"]] {
                world.connector.call(command).fails(2, &words);
            }
        };
        check("listen = ", "lisen = ", 2, &["lisen", "listen"]);
        check("poll_interval = \"1s\"", "poll_interval = \"1 parsec\"", 33, &["poll_interval", "60s"]);
        check("provider = \"embedded\"", "provider = \"safe\"", 14, &["provider", "embedded"]);
        check("[retention]", "[retention", 41, &[]);
        check("client_id = ", "client_secret = \"hunter2hunter2\"\nclient_id = ", 24, &["client_secret"]);
        assert!(!world.connector.call(&["run"]).err.contains("hunter2"), "a secret is shown");
        check("cloud = \"worldwide\"", "cloud = \"mars\"", 22, &["cloud", "mars", "gcc-high"]);
        fs::remove_file(&world.connector.config).unwrap();
        world.connector.call(&["run"]).fails(2, &["connector.toml", "--config"]);
        assert!(!world.connector.database().exists() && !world.connector.key_file().exists());
        world.connector.configure(&good);
        world.finish();
    }

    #[test]
    fn a_mistake_of_the_agents_is_told_with_file_line_and_key() {
        let world = World::plan().build();
        let agent = world.new_agent("panel");
        let good = fs::read_to_string(agent.config()).unwrap();
        let check = |text: &str, words: &[&str]| {
            fs::write(agent.config(), text).unwrap();
            let file = agent.config().display().to_string();
            let words: Vec<&str> = std::iter::once(file.as_str()).chain(words.iter().copied()).collect();
            for command in [&["run"][..], &["meetings"], &["status"], &["enroll", "joinery://x/enroll/1"]] {
                agent.call(command).fails(2, &words);
            }
        };
        check(&good.replace("state_dir", "state_dri"), &["line 2", "state_dri", "state_dir"]);
        check(&format!("{good}[driver.command]\non_show = \"lamp\"\n"), &["line 5", "on_show"]);
        check(&format!("{good}[driver.panel]\nlisten = \"x\"\n"), &["line 4", "panel"]);
        fs::remove_file(agent.config()).unwrap();
        agent.call(&["run"]).fails(2, &["panel.toml", "--config"]);
        world.finish();
    }

    #[test]
    fn what_cannot_be_opened_is_named() {
        let world = World::plan().build();
        let taken = TcpListener::bind(("127.0.0.1", world.connector.sessions.number())).unwrap();
        let port = world.connector.sessions.number().to_string();
        world.connector.run_to_end().fails(1, &["server.listen", &port]);
        drop(taken);
        let ca = fs::read(world.folder.at("tenant_ca.pem")).unwrap();
        fs::remove_file(world.folder.at("tenant_ca.pem")).unwrap();
        world.connector.run_to_end().fails(1, &["tenant_ca.pem", "ca_file"]);
        world.folder.write("tenant_ca.pem", "no certificate");
        world.connector.run_to_end().fails(1, &["tenant_ca.pem", "ca_file"]);
        world.folder.write("tenant_ca.pem", ca);
        world.finish();
    }

    #[test]
    fn a_second_connector_stays_away_from_the_first() {
        let (world, panel) = with_a_meeting();
        world.connector.run_to_end().fails(1, &["already running", "admin.sock"]);
        assert_eq!(panel.meetings().connection, "online");
        let agent = panel.call(&["run"]);
        agent.fails(1, &["already running", "panel"]);
        world.finish();
    }
}

mod daemons_that_do_not_run {
    use super::*;

    #[test]
    fn the_command_lines_say_so() {
        let world = World::plan().build();
        for command in [&["status"][..], &["mailbox", "list"], &["mailbox", "add", ROOM], &["device", "list"]]
        {
            world.connector.call(command).fails(1, &["admin.sock", "start the daemon"]);
        }
        let agent = world.new_agent("panel");
        for command in [&["meetings"][..], &["join", "next"]] {
            agent.call(command).fails(1, &["not enrolled", "joinery-agent enroll"]);
        }
        agent.call(&["watch"]).fails(1, &["agent.sock", "start the daemon"]);
        let status = agent.call(&["status"]);
        assert!(status.code == Some(1) && status.err.contains("joinery-agent run"), "{}", status.err);
        world.finish();
    }

    #[test]
    fn the_list_is_there_without_the_agents_daemon() {
        let (world, mut panel) = with_a_meeting();
        panel.stop();
        let list = panel.meetings();
        assert_eq!((list.subjects(), list.connection.as_str()), (vec!["Kept"], "offline"));
        panel.call(&["watch"]).fails(1, &["agent.sock", "start the daemon"]);
        world.finish();
    }
}

mod keys {
    use super::*;

    /// `damage` is done to the key file; `run` tells by these words; the old file makes everything good again.
    fn check(damage: impl FnOnce(&Path), words: &[&str]) {
        let (mut world, panel) = with_a_meeting();
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
        let (mut world, _panel) = with_a_meeting();
        world.connector.stop();
        let kek = world.connector.key_file();
        fs::set_permissions(&kek, fs::Permissions::from_mode(0o640)).unwrap();
        let check = world.connector.call(&["check"]);
        assert_eq!(check.code, Some(1), "{}", check.out);
        let failed: Vec<&str> = check.out.lines().filter(|line| line.starts_with("FAILED")).collect();
        assert_eq!(failed.len(), 1, "{}", check.out);
        assert_sentence("check", failed[0], &["keys", &kek.display().to_string(), "chmod 0600"]);
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
                fs::write(kek, &bytes[..bytes.len() - 1]).unwrap();
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
        let (mut world, panel) = with_a_meeting();
        world.connector.stop();
        let path = world.connector.database();
        let good = fs::read(&path).unwrap();
        let file = path.display().to_string();
        let damages: [(&str, fn(&mut Vec<u8>)); 3] = [
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

mod disk {
    use super::*;

    /// A file system of its own, small enough to be filled.
    struct SmallDisk(PathBuf);

    impl SmallDisk {
        fn mount(at: PathBuf) -> Option<Self> {
            fs::create_dir_all(&at).unwrap();
            let mounted =
                Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(&at).output();
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
}

mod microsoft {
    use super::*;

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
        let others =
            |violation: &joinery_tenant::Violation| !violation.target.ends_with("/oauth2/v2.0/token");
        assert!(!world.tenant.violations().iter().any(others));
        world.tenant.clear_record();
        world.finish();
    }

    #[test]
    fn an_expired_secret_is_told_while_the_device_goes_on() {
        let (world, panel) = with_a_meeting();
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
        let (world, panel) = with_a_meeting();
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
}

mod agent {
    use super::*;

    #[test]
    fn a_wrong_address_of_the_connector_is_told() {
        let world = World::new();
        world.mailbox(ROOM);
        let code = world.connector.invite(ROOM, DeviceKind::Room).code;
        let panel = world.new_agent("panel");
        let enroll = |address: &str| panel.call(&["enroll", "--connector", address, "--code", &code]);
        let nobody = Port::free().number();
        enroll(&format!("127.0.0.1:{nobody}")).fails(1, &["127.0.0.1", &nobody.to_string()]);
        enroll("no-such-host.invalid").fails(1, &["no-such-host.invalid"]);
        // Something answers, but it is no enrollment: the session port, and a web server.
        enroll(&format!("127.0.0.1:{}", world.connector.sessions.number())).fails(1, &[]);
        enroll(&format!("localhost:{}", world.tenant.address().port())).fails(1, &[]);
        enroll("127.0.0.1:http").fails(2, &["127.0.0.1:http"]);
        // None of it cost the code.
        enroll(&format!("localhost:{}", world.connector.enrollment.number())).done();
        // The tenant saw a client that speaks something else than Graph.
        world.tenant.clear_record();
        world.finish();
    }

    #[test]
    fn a_mistyped_code_is_told_before_anybody_is_asked() {
        let world = World::plan().build();
        let panel = world.new_agent("panel");
        let enroll = |code: &str| panel.call(&["enroll", "--connector", "127.0.0.1:1", "--code", code]);
        enroll("1234 5678 9012 345").fails(2, &["16 digits", "15"]);
        enroll("1234 5678 9012 345x").fails(2, &["digits"]);
        world.finish();
    }

    #[test]
    fn a_name_that_the_connector_does_not_know_is_told() {
        let world = World::plan()
            .replace("names = [\"127.0.0.1\", \"localhost\"]", "names = [\"127.0.0.1\"]")
            .start();
        world.mailbox(ROOM);
        let code = world.connector.invite(ROOM, DeviceKind::Room).code;
        let panel = world.new_agent("panel");
        let at = |host: &str| format!("{host}:{}", world.connector.enrollment.number());
        let enroll = |host: &str| panel.call(&["enroll", "--connector", &at(host), "--code", &code]);
        enroll("localhost").fails(1, &["localhost", "server.names", "same code"]);
        enroll("127.0.0.1").done();
        assert_eq!(world.connector.devices().len(), 1);
        world.finish();
    }

    #[test]
    fn state_that_cannot_be_written_is_told() {
        let world = World::new();
        world.mailbox(ROOM);
        let code = world.connector.invite(ROOM, DeviceKind::Room);
        let panel = world.new_agent("panel");
        world.folder.write("panel", "in the way");
        let place = panel.state_dir().display().to_string();
        panel.call(&["enroll", &code.url]).fails(1, &[&place]);
        fs::remove_file(panel.state_dir()).unwrap();
        panel.enroll(&code.url);
        world.finish();
    }

    /// Each file of the cache in turn is cut, emptied, garbled and removed: the list is right again by itself.
    #[test]
    fn a_damaged_cache_is_told_and_comes_back_from_the_connector() {
        let (world, mut panel) = with_a_meeting();
        let cache = |panel: &Agent| -> Vec<PathBuf> {
            let files = files_under(&panel.state_dir()).into_iter();
            files.filter(|file| !file.display().to_string().contains("identity")).collect()
        };
        panel.stop();
        assert!(
            cache(&panel).iter().any(|file| fs::metadata(file).unwrap().len() > 100),
            "there is no cache"
        );
        let damages: [(&str, fn(&Path)); 4] = [
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
        let (world, mut panel) = with_a_meeting();
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

#[test]
fn an_invitation_for_a_mailbox_that_is_not_synced_is_refused() {
    let world = World::new();
    world.connector.call(&["device", "invite", ROOM]).fails(1, &[ROOM, "mailbox add"]);
    let missing = world.folder.at("none.csv").display().to_string();
    world.connector.call(&["mailbox", "import", &missing]).fails(2, &["none.csv"]);
    let file =
        world.folder.write("some.csv", "room.one@contoso.example,room\nroom.two@contoso.example,boat\n");
    world.connector.call(&["mailbox", "import", &file.display().to_string()]).fails(2, &["line 2", "boat"]);
    let none = wait_for("the list", || Some(world.connector.call(&["mailbox", "list", "--json"]).done()));
    assert_eq!(none.trim(), "[]");
    world.finish();
}
