//! Marked strings go in at the tenant and come out on the devices' screens; in between, in whatever either program has
//! written, none of them is ever found.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use joinery_tenant::{Attendee, NewMeeting};
use joinery_tests::{
    Agent, DeviceKind, Mark, World, files_under, in_minutes, plain, traces, wait_for, wait_until,
};
use rustix::process::{Pid, Signal, kill_process};
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
    let holdings = files_under(&panel.state_dir());
    for file in holdings.iter().filter(|file| !file.display().to_string().contains("identity")) {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 0x20;
        }
        fs::write(file, bytes).unwrap();
    }
    panel.start();
    panel.wait_for_connection("online");
    panel.wait_for_list("one meeting", |list| list.meetings.len() == 1);
    said
}

/// A program under strace, which notes every file that it opens for writing, makes or renames.
struct Traced {
    strace: Child,
    report: PathBuf,
}

impl Traced {
    fn works() -> bool {
        let tried = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
        tried.is_ok_and(|output| output.status.success())
    }

    fn start(command: &Command, report: PathBuf) -> Self {
        let calls =
            "trace=open,openat,creat,rename,renameat,renameat2,mkdir,mkdirat,symlink,symlinkat,link,linkat";
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-y", "-e", calls, "-o"]).arg(&report);
        strace.arg(command.get_program()).args(command.get_args());
        strace.current_dir(command.get_current_dir().unwrap()).env_clear().env("RUST_LOG", "trace");
        strace.envs(command.get_envs().map(|(name, value)| (name, value.unwrap_or_default())));
        let strace = strace.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { strace, report }
    }

    /// Stops the program and returns what it wrote outside of `folder`.
    fn stop(mut self, folder: &Path) -> Vec<String> {
        let id = self.strace.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let program = children.split_whitespace().next().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(program).unwrap(), Signal::TERM).unwrap();
        wait_for("the end of strace", || self.strace.try_wait().unwrap());
        let text = fs::read_to_string(&self.report).unwrap();
        let folder = folder.display().to_string();
        let writes = |line: &str| {
            let words = ["O_WRONLY", "O_RDWR", "O_CREAT", "creat(", "rename", "mkdir", "symlink", "link("];
            let writes = words.iter().any(|word| line.contains(word));
            writes && !line.contains(" = -1 ") && !line.contains("\"/dev/null\"")
        };
        assert!(text.lines().any(|line| writes(line) && line.contains(&folder)), "nothing was seen:\n{text}");
        let outside = text.lines().filter(|line| writes(line) && !line.contains(&folder));
        outside.map(str::to_owned).collect()
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        let _gone = self.strace.kill();
        let _reaped = self.strace.wait();
    }
}

/// The programs write nowhere else: the search above has looked at everything.
#[test]
fn nothing_is_written_outside_the_test_folder() {
    if !Traced::works() {
        println!("skipped: strace does not work here");
        return;
    }
    let world = World::plan().build();
    let connector = world.connector.command(&["run"]);
    let connector = Traced::start(&connector, world.folder.at("connector.trace"));
    wait_until("the connector's socket", || world.connector.socket().exists());
    world.mailbox(MAILBOX);
    world.tenant.create(MAILBOX, &meetings()[0]).unwrap();
    let agent = world.enrolled("panel", MAILBOX, DeviceKind::Desktop);
    let panel = Traced::start(&agent.command(&["run"]), world.folder.at("panel.trace"));
    agent.wait_for_subjects(&[SUBJECT]);
    world.connector.wait_for_fresh_round(MAILBOX);
    let outside = [panel.stop(world.folder.path()), connector.stop(world.folder.path())];
    assert!(outside.iter().all(Vec::is_empty), "{outside:#?}");
    world.finish();
}
