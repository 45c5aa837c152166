//! Marked strings go in at the tenant and come out on the devices' screens; in between, in whatever either program has
//! written, none of them is ever found.

use std::path::PathBuf;

use joinery_tenant::{Attendee, NewMeeting};
use joinery_tests::{
    Agent, DeviceKind, Mark, World, in_minutes, plain, program, traces, wait_until, wait_within,
};
use serde_json::json;

const MAILBOX: &str = "room-canarybox@contoso.example";
const SUBJECT: &str = "Canary subject: Zürich merger";
const BODY: &str = "canarybody-between-the-lines";
const ORGANIZER: &str = "canary.organizer@fabrikam.example";
const ORGANIZER_NAME: &str = "Canary Organizerova";
const ATTENDEE: &str = "canary.attendee@fabrikam.example";
const LOCATION: &str = "Canary Tower, floor 13";
const MEETING_NUMBER: &str = "98765432101";
const PASSCODE: &str = "CanaryPassc0de";
const ROOM_NAME: &str = "canaryjoinroom";
const SIP: &str = "canary-sip-user@fabrikam.example";
const DEVICE_NAME: &str = "Canary device name";

struct Scene {
    world: World,
    marks: Vec<Mark>,
    /// Files that the test wrote itself.
    own: Vec<PathBuf>,
}

impl Scene {
    fn new() -> Self {
        let world = World::plan().level("trace").start();
        let mark = |name, text: &str| Mark::new(name, text);
        let marks = vec![
            mark("mailbox address", MAILBOX),
            mark("subject", SUBJECT),
            mark("body", BODY),
            mark("organizer's address", ORGANIZER),
            mark("organizer's name", ORGANIZER_NAME),
            mark("attendee's address", ATTENDEE),
            mark("location", LOCATION),
            mark("meeting number", MEETING_NUMBER),
            mark("passcode", PASSCODE),
            mark("join target", ROOM_NAME),
            mark("SIP address", SIP),
            mark("device name", DEVICE_NAME),
            mark("client secret", &world.tenant.client_secret()),
            mark("access token", "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9"),
            mark("delta link", "$deltatoken="),
            mark("next link", "$skiptoken="),
            mark("private key", "-----BEGIN PRIVATE KEY"),
        ];
        let own = vec![world.folder.at("client_secret")];
        Self { world, marks, own }
    }

    fn mark_event(&mut self, change: &joinery_tenant::Change) {
        self.marks.push(Mark::new("event id", change.id.clone()));
        self.marks.push(Mark::new("immutable event id", change.immutable_id.clone()));
    }

    /// Codes are marked, as typed and as a number.
    fn enroll(&mut self, name: &str, kind: DeviceKind) -> Agent {
        let code = self.world.connector.invite(MAILBOX, kind);
        self.marks.push(Mark::new("activation code", code.code.clone()));
        self.marks.push(Mark::new("activation code", code.code.replace(' ', "")));
        self.marks.push(Mark::new("password of a code", code.code.replace(' ', "")[6..].to_owned()));
        let mut agent = self.world.new_agent(name);
        agent.configure("[driver.command]\non_show = [\"sh\", \"-c\", \"cat > /dev/null\"]\n");
        agent.enroll(&code.url);
        agent.start();
        agent.wait_for_connection("online");
        agent
    }

    #[track_caller]
    fn check(&self, when: &str) {
        let (found, files, bytes) = traces(self.world.folder.path(), &self.own, &self.marks);
        println!("{when}: {files} files, {bytes} bytes");
        assert!(
            files > 10 && bytes > 50_000,
            "{when}: too little was looked at: {files} files, {bytes} bytes"
        );
        assert!(found.is_empty(), "{when}: {found:#?}");
    }
}

fn meetings() -> [NewMeeting; 3] {
    let start = in_minutes(2);
    let organizer = Some(Attendee { name: ORGANIZER_NAME.to_owned(), address: ORGANIZER.to_owned() });
    let attendees = vec![Attendee { name: "Canary".to_owned(), address: ATTENDEE.to_owned() }];
    let zoom = format!(
        "<p>{BODY}</p><a href=\"https://contoso.zoom.us/j/{MEETING_NUMBER}?pwd={PASSCODE}\">Join</a><p>Passcode: {PASSCODE}</p>"
    );
    [
        NewMeeting {
            html: true,
            body: zoom,
            location: LOCATION.to_owned(),
            organizer: organizer.clone(),
            attendees: attendees.clone(),
            ..plain(SUBJECT, start, 45)
        },
        NewMeeting {
            body: format!("{BODY}\nhttps://contoso.webex.com/meet/{ROOM_NAME}"),
            location: LOCATION.to_owned(),
            organizer: organizer.clone(),
            attendees: attendees.clone(),
            ..plain(&format!("{SUBJECT} (again)"), start, 30)
        },
        NewMeeting {
            location: format!("sip:{SIP}"),
            recurrence: Some(json!({
                "pattern": {"type": "daily", "interval": 1},
                "range": {"type": "numbered", "numberOfOccurrences": 5},
            })),
            organizer,
            attendees,
            ..plain(&format!("{SUBJECT} (daily)"), start, 15)
        },
    ]
}

#[test]
fn nothing_that_is_marked_is_in_any_file() {
    let mut scene = Scene::new();
    scene.world.mailbox(MAILBOX);
    let mut panel = scene.enroll("panel", DeviceKind::Room);
    let desktop = scene.enroll("desktop", DeviceKind::Desktop);
    let device = scene.world.connector.devices()[0].id.clone();
    scene.world.connector.call(&["device", "rename", &device, DEVICE_NAME]).done();
    scene.world.tenant.page_size(2).unwrap();
    let mut ids = Vec::new();
    for meeting in meetings() {
        let change = scene.world.tenant.create(MAILBOX, &meeting).unwrap();
        scene.mark_event(&change);
        ids.push(change.id);
    }

    // What is searched for is really there: it comes out on the screens.
    let list = desktop.wait_for_list("all meetings", |list| list.meetings.len() == 7);
    let join = |subject: &str| list.find(subject).and_then(|meeting| meeting.join.clone()).unwrap();
    let zoom = join(SUBJECT);
    assert!(zoom.url.unwrap().contains(PASSCODE) && zoom.meeting_id.as_deref() == Some(MEETING_NUMBER));
    assert_eq!(zoom.passcode.as_deref(), Some(PASSCODE));
    assert!(join(&format!("{SUBJECT} (again)")).url.unwrap().ends_with(ROOM_NAME));
    assert_eq!(join(&format!("{SUBJECT} (daily)")).sip.as_deref(), Some(SIP));
    assert_eq!(list.find(SUBJECT).unwrap().organizer.as_ref().unwrap().address, ORGANIZER);
    panel.wait_for_list("all meetings", |list| list.meetings.len() == 7);
    scene.check("while everything runs");

    let errors = provoke_errors(&mut scene, &mut panel, &ids);
    for error in &errors {
        let shown =
            scene.marks.iter().find(|mark| mark.name != "mailbox address" && error.contains(&mark.text));
        assert!(shown.is_none(), "{shown:?} is in: {error}");
    }
    scene.check("after everything that could go wrong");

    panel.kill();
    scene.world.connector.kill();
    scene.check("after both were killed");
    scene.world.connector.start();
    panel.start();
    panel.wait_for_connection("online");
    scene.world.connector.call(&["mailbox", "remove", MAILBOX]).done();
    panel.wait_for_connection("offline");
    scene.check("after the mailbox was removed");
    scene.world.connector.stop();
    panel.stop();
    scene.check("after both were stopped");
    scene.world.tenant.clear_record();
    scene.world.finish();
}

/// Everything that makes a program complain; what the command lines said.
fn provoke_errors(scene: &mut Scene, panel: &mut Agent, ids: &[String]) -> Vec<String> {
    let mut said = Vec::new();
    let Scene { world, .. } = scene;
    let port = world.connector.enrollment.number();
    let stranger = world.new_agent("stranger");
    let wrong = ["enroll", "--connector", &format!("127.0.0.1:{port}"), "--code", "0000 0011 1111 1111"];
    said.push(stranger.call(&wrong).err);
    said.push(panel.call(&["join", "next"]).err);
    said.push(panel.call(&["join", "00000000000000000000000000000000"]).err);

    let fails = |world: &World, code: &str| {
        world.connector.wait_for_mailbox(MAILBOX, code, |line| {
            line.problem.as_ref().is_some_and(|problem| problem.code.contains(code))
        })
    };
    world.tenant.cut_pages(MAILBOX, 1).unwrap();
    world.tenant.expire_delta(MAILBOX).unwrap();
    world.tenant.revoke_tokens().unwrap();
    said.push(fails(world, "").problem.unwrap().message);
    world.connector.wait_for_state(MAILBOX, "ok");
    world.tenant.deny_access(MAILBOX, true).unwrap();
    said.push(fails(world, "").problem.unwrap().message);
    said.push(world.connector.call(&["check"]).out);
    world.tenant.deny_access(MAILBOX, false).unwrap();
    world.connector.wait_for_state(MAILBOX, "ok");

    world
        .tenant
        .update(MAILBOX, &ids[0], &json!({"location": {"displayName": format!("{LOCATION} B")}}))
        .unwrap();
    world.tenant.cancel(MAILBOX, &ids[1]).unwrap();
    world.tenant.delete(MAILBOX, &ids[2]).unwrap();
    panel.wait_for_list("one meeting", |list| list.meetings.len() == 1);
    world.connector.call(&["mailbox", "resync", MAILBOX]).done();
    world.connector.wait_for_fresh_round(MAILBOX);

    // The cache is damaged; the device tells, and gets everything again.
    panel.kill();
    let holdings = joinery_tests::files_under(&panel.state_dir());
    for file in holdings.iter().filter(|file| !file.display().to_string().contains("identity")) {
        let mut bytes = std::fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 0x20;
        }
        std::fs::write(file, bytes).unwrap();
    }
    panel.start();
    panel.wait_for_connection("online");
    panel.wait_for_list("one meeting", |list| list.meetings.len() == 1);
    said
}

/// The programs write nowhere else: what they open for writing is seen by the kernel, where strace may look.
#[test]
fn files_outside_the_test_folder_are_not_written() {
    let world = World::plan().build();
    let report = world.folder.at("opened");
    let strace = |words: &[&str]| {
        let mut command = world.folder.command(&PathBuf::from("strace"));
        command.args([
            "-f",
            "-qq",
            "-y",
            "-e",
            "trace=open,openat,creat,rename,renameat,renameat2,mkdir,mkdirat,symlinkat",
        ]);
        command.arg("-o").arg(&report).args(words);
        command
    };
    if !strace(&["true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: strace does not work here");
        return;
    }
    let connector = program("joinery-connector").display().to_string();
    let config = world.connector.config.display().to_string();
    let child = strace(&[&connector, "--config", &config, "run"]).env("RUST_LOG", "trace").spawn().unwrap();
    let socket = world.connector.socket();
    wait_until("the connector's socket", || socket.exists());
    world.tenant.add_mailbox(MAILBOX, joinery_tenant::MailboxKind::Room).unwrap();
    world.tenant.create(MAILBOX, &meetings()[0]).unwrap();
    world.connector.add_mailbox(MAILBOX);
    world.connector.wait_for_mailbox(MAILBOX, "a meeting", |line| line.meetings == 1);
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(),
        rustix::process::Signal::INT,
    )
    .unwrap();
    let mut child = child;
    wait_within(joinery_tests::PATIENCE, "the end of strace", || child.try_wait().unwrap());
    let text = std::fs::read_to_string(&report).unwrap();
    let folder = world.folder.path().display().to_string();
    let writes = |line: &&str| {
        ["O_WRONLY", "O_RDWR", "O_CREAT", "rename", "mkdir", "symlink", "creat("]
            .iter()
            .any(|word| line.contains(word))
            && !line.contains(" = -1 ")
            && !line.contains("/dev/")
    };
    let outside: Vec<&str> = text.lines().filter(writes).filter(|line| !line.contains(&folder)).collect();
    assert!(text.contains("connector.db"), "nothing was seen");
    assert!(outside.is_empty(), "{outside:#?}");
    world.finish();
}
