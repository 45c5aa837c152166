use super::*;

fn person() -> Surroundings {
    Surroundings { home: Some("/home/dana".into()), ..Surroundings::default() }
}

#[test]
fn without_a_word_the_defaults_hold() {
    let config = Config::parse("", &person()).unwrap();
    assert_eq!(config.state_dir, Path::new("/home/dana/.local/state/joinery"));
    assert_eq!(config.socket(), Path::new("/home/dana/.local/state/joinery/agent.sock"));
    assert_eq!(config.opener, ["xdg-open"]);
    assert_eq!((config.sip_opener, config.desktop, config.command), (None, None, None));
}

#[test]
fn without_a_file_a_desktop_gets_its_pop_up() {
    let on_desktop = Surroundings { session_bus: true, ..person() };
    assert_eq!(Config::without_file(&on_desktop).unwrap().desktop, Some(DesktopConfig::default()));
    assert_eq!(Config::without_file(&person()).unwrap().desktop, None);
    assert_eq!(Config::parse("", &on_desktop).unwrap().desktop, None, "a file says what is on");
}

#[test]
fn state_has_its_place() {
    let check = |surroundings: &Surroundings, want: &str| {
        assert_eq!(Config::parse("", surroundings).unwrap().state_dir, Path::new(want));
    };
    check(
        &Surroundings { root: true, home: Some("/root".into()), ..Default::default() },
        "/var/lib/joinery-agent",
    );
    check(&Surroundings { state_directory: Some("/var/lib/x".into()), ..person() }, "/var/lib/x");
    check(&Surroundings { state_home: Some("/data/state".into()), ..person() }, "/data/state/joinery");
    let error = Config::parse("", &Surroundings::default()).unwrap_err().to_string();
    assert!(error.contains("state_dir") && error.contains("HOME"), "{error}");
}

#[test]
fn everything_written_is_used() {
    let text = r#"
[agent]
state_dir = "/var/lib/room"
opener = ["/usr/bin/browser", "--new-window"]
sip_opener = ["linphone"]
[driver.desktop]
details = "time-only"
urgent_at_start = false
[driver.command]
on_show = ["/usr/bin/lamp", "on"]
on_hide = ["/usr/bin/lamp", "off"]
timeout = "2m"
"#;
    let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let want = Config {
        state_dir: "/var/lib/room".into(),
        opener: argv(&["/usr/bin/browser", "--new-window"]),
        sip_opener: Some(argv(&["linphone"])),
        desktop: Some(DesktopConfig { details: Details::TimeOnly, urgent_at_start: false }),
        command: Some(CommandConfig {
            on_show: Some(argv(&["/usr/bin/lamp", "on"])),
            on_hide: Some(argv(&["/usr/bin/lamp", "off"])),
            timeout: Duration::from_secs(120),
        }),
    };
    assert_eq!(Config::parse(text, &person()).unwrap(), want);
}

/// The error's sentence must hold every word of `want`.
#[track_caller]
fn check(text: &str, want: &[&str]) {
    let error = Config::parse(text, &person()).unwrap_err().to_string();
    for word in want {
        assert!(error.contains(word), "{error:?} lacks {word:?}");
    }
}

#[test]
fn a_mistake_is_told_with_its_line_and_key() {
    check("[agent]\nstate_dri = \"/x\"", &["line 2", "state_dri", "state_dir"]);
    check("[agnet]\n", &["line 1", "agnet"]);
    check("[agent]\n\nstate_dir = \"x\"", &["line 3", "state_dir", "absolute"]);
    check("[agent]\nstate_dir = 5", &["line 2", "state_dir"]);
    check("[agent]\nopener = \"xdg-open\"", &["line 2", "opener"]);
    check("[agent]\nopener = []", &["line 2", "opener", "program"]);
    check("[agent]\nsip_opener = [\"\"]", &["line 2", "sip_opener", "program"]);
    check("[agent]\nopener = [\"a\\u0000\"]", &["line 2", "opener", "zero"]);
    check("[driver.desktop]\ndetails = \"some\"", &["line 2", "details", "full", "time-only"]);
    check("[driver.desktop]\nurgent = 1", &["line 2", "urgent"]);
    check("\n[driver.command]\n", &["line 2", "driver.command", "on_show"]);
    check("[driver.command]\non_show = []", &["line 2", "on_show", "program"]);
    check("[driver.command]\non_show = [\"x\"]\ntimeout = \"11m\"", &["line 3", "timeout", "10m"]);
    check("[driver.command]\non_show = [\"x\"]\ntimeout = \"0s\"", &["line 3", "timeout"]);
    check("[driver.command]\non_show = [\"x\"]\ntimeout = \"+3s\"", &["line 3", "timeout"]);
    check("[agent\n", &["line 1"]);
}

#[test]
fn drivers_of_later_versions_are_refused_by_name() {
    check("[driver.panel]\nlisten = \"127.0.0.1:8090\"", &["line 1", "driver.panel", "no such driver yet"]);
    check("\n[driver.roomos]\nurl = \"https://codec\"", &["line 2", "driver.roomos", "no such driver yet"]);
    check("[driver.tray]\n", &["line 1", "tray"]);
}

#[test]
fn files_are_found_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let surroundings = Surroundings { config_home: Some(folder.path().into()), ..person() };
    assert_eq!(
        surroundings.config_files(),
        [PathBuf::from("/etc/joinery/agent.toml"), folder.path().join("joinery/agent.toml")]
    );
    let named = folder.path().join("named.toml");
    let error = Config::find(Some(&named), &surroundings).unwrap_err().to_string();
    assert!(error.contains("named.toml") && error.contains("no such file"), "{error}");
    std::fs::write(&named, "[agent]\nstate_dir = \"/named\"").unwrap();
    assert_eq!(Config::find(Some(&named), &surroundings).unwrap().state_dir, Path::new("/named"));
    std::fs::write(&named, b"\xff").unwrap();
    assert!(Config::find(Some(&named), &surroundings).unwrap_err().to_string().contains("UTF-8"));
}
