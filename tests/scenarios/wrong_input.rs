//! What people write wrong: each ends in one clear sentence that says what to do, with the documented exit code.

use std::fs;
use std::net::TcpListener;

use joinery_tests::{DeviceKind, Port, ROOM, World, kept_meeting};

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
        let (world, panel) = kept_meeting();
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
        let (world, mut panel) = kept_meeting();
        panel.stop();
        let list = panel.meetings();
        assert_eq!((list.subjects(), list.connection.as_str()), (vec!["Kept"], "offline"));
        panel.call(&["watch"]).fails(1, &["agent.sock", "start the daemon"]);
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
    let none = world.connector.call(&["mailbox", "list", "--json"]).done();
    assert_eq!(none.trim(), "[]");
    world.finish();
}
