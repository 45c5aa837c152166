//! One call of a command line and how it ended.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use serde::de::DeserializeOwned;

use crate::waiting::{PATIENCE, wait_a_step};

/// What a command printed and its exit code.
#[derive(Debug, Clone)]
pub struct Called {
    what: String,
    /// Exit code; nothing if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Called {
    /// Runs `command` to its end.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn run(mut command: Command) -> Self {
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        let what = format!("{} {}", command.get_program().display(), words.join(" "));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{what} does not start: {error}"));
        let out = read(child.stdout.take());
        let err = read(child.stderr.take());
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            let late = Instant::now() > deadline;
            if late {
                let _ended = child.kill();
            }
            match wait_a_step(|| child.try_wait().unwrap()) {
                Some(_) if late => panic!("{what} does not end: {}", err.join().unwrap()),
                Some(status) => break status,
                None => {}
            }
        };
        Self { what, code: status.code(), out: out.join().unwrap(), err: err.join().unwrap() }
    }

    /// Expects exit code 0 and returns standard output.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{}: {}", self.what, self.err);
        self.out
    }

    /// Expects exit code 0 and JSON.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(self) -> T {
        let what = self.what.clone();
        let out = self.done();
        serde_json::from_str(&out)
            .unwrap_or_else(|error| panic!("{what} printed no such JSON: {error}\n{out}"))
    }

    /// Expects exit code `code`, nothing on standard output, and on standard error, besides the log, one sentence that
    /// holds every word of `words`. Returns the sentence.
    #[track_caller]
    pub fn fails(self, code: i32, words: &[&str]) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{}: {}", self.what, self.err);
        // Lines of the log begin with their time.
        let is_log = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
        let said: Vec<&str> = self.err.lines().filter(|line| !is_log(line)).collect();
        assert_sentence(&self.what, &said.join("\n"), words);
        said.concat()
    }
}

/// One line, readable for a person, with every word of `words` and nothing of the program's inside.
#[track_caller]
pub fn assert_sentence(what: &str, text: &str, words: &[&str]) {
    assert_eq!(text.lines().count(), 1, "{what}: one line is expected:\n{text}");
    for odd in ["panicked", "Os {", "Error {", "Some(", "None)", "backtrace", "Err("] {
        assert!(!text.contains(odd), "{what}: {odd:?} is nothing for a person: {text}");
    }
    for word in words {
        assert!(text.contains(word), "{what}: {word:?} is missing: {text}");
    }
}

fn read(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut stream) = stream {
            let _cut = stream.read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}
