//! How fast join targets are found, beside a list of regular expressions as one would write it in an afternoon.

use std::hint::black_box;
use std::time::{Duration, Instant};

use joinery_joinlink::{Input, find};
use joinery_model::BodyKind;
use regex::Regex;
use serde::Deserialize;

use crate::invitations;
use crate::spread::{Spread, micros};
use crate::table::Table;

/// How long each of both is measured on each set.
const TIME: Duration = Duration::from_secs(2);

/// The development cases of the join-address policy.
const CASES: &str = include_str!("../../fixtures/links/dev.jsonl");

/// Sizes of the invitations that are measured besides, in KiB, and how many of each.
const SIZES: [(usize, usize); 2] = [(8, 100), (64, 20)];

/// What the naive list knows of join links; the first expression that is found anywhere wins.
const NAIVE: [&str; 12] = [
    r#"https?://teams\.(?:microsoft|live)\.com/(?:l/meetup-join|meet)/[^\s"'<>]+"#,
    r#"https?://[\w.-]+\.webex\.com/(?:meet|join)/[^\s"'<>]+"#,
    r#"https?://[\w.-]+\.webex\.com/[^\s"'<>]*(?:j\.php\?MTID=|e\.php\?AT=MI)[^\s"'<>]+"#,
    r#"https?://(?:[\w-]+\.)*zoom(?:gov)?\.(?:us|com)/(?:j|w|s|my|wc/join)/[^\s"'<>]+"#,
    r#"https?://meet\.google\.com/[a-z]{3}-[a-z]{4}-[a-z]{3}"#,
    r#"https?://(?:[\w-]+\.)?gotomeeting\.com/join/\d+"#,
    r#"https?://(?:meet\.goto|gotomeet\.me)(?:\.com)?/[^\s"'<>]+"#,
    r#"https?://(?:[\w-]+\.)?bluejeans\.com/\d+[^\s"'<>]*"#,
    r#"https?://meet\.jit\.si/[^\s"'<>]+"#,
    r#"https?://whereby\.com/[^\s"'<>]+"#,
    r#"https?://[\w.-]*ringcentral\.com/join/\d+[^\s"'<>]*"#,
    r#"sips?:[^\s"'<>@]+@[^\s"'<>]+"#,
];

#[derive(Deserialize)]
struct Case {
    input: Entry,
    expect: Expected,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Entry {
    subject: String,
    location: String,
    body_type: String,
    body: String,
    online_meeting: Option<OnlineMeeting>,
    #[serde(default)]
    own_sites: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnlineMeeting {
    join_url: Option<String>,
}

/// The link that is right. A case that says nothing of it is right with any.
#[derive(Deserialize)]
struct Expected {
    #[serde(default, deserialize_with = "said")]
    url: Option<Option<String>>,
}

fn said<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl Entry {
    fn input(&self) -> Input<'_> {
        Input {
            subject: &self.subject,
            location: &self.location,
            body_kind: if self.body_type == "html" { BodyKind::Html } else { BodyKind::Text },
            body: &self.body,
            online_meeting_url: self.online_meeting_url(),
            own_sites: &self.own_sites,
        }
    }

    fn online_meeting_url(&self) -> Option<&str> {
        self.online_meeting.as_ref()?.join_url.as_deref()
    }

    fn size(&self) -> usize {
        let online = self.online_meeting_url().map_or(0, str::len);
        self.subject.len() + self.location.len() + self.body.len() + online
    }
}

/// Measures both on the policy's cases and on invitations of two sizes.
pub fn measure(table: &mut Table) {
    table.section(
        "Join links",
        "joinlink beside a naive list of 12 regular expressions, one thread, texts in memory",
    );
    let cases: Vec<Case> = CASES.lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
    let mut sets = vec![("short invitations of the policy".to_owned(), cases)];
    for (kib, count) in SIZES {
        let made = (0..count).map(|number| Case {
            input: Entry {
                subject: "Plan and budget".to_owned(),
                body_type: "html".to_owned(),
                body: invitations::html(number, kib),
                ..Entry::default()
            },
            expect: Expected { url: Some(Some(invitations::url(number))) },
        });
        sets.push((format!("Outlook invitations, {kib} KiB of HTML"), made.collect()));
    }
    let naive: Vec<Regex> = NAIVE.iter().map(|text| Regex::new(text).expect("an expression")).collect();
    for (what, cases) in &sets {
        let on = format!("{} {what}", cases.len());
        compare(table, &on, "joinlink", cases, |entry| {
            find(&entry.input()).target.and_then(|target| target.url)
        });
        compare(table, &on, "naive expressions", cases, |entry| first_match(&naive, entry));
    }
}

fn first_match(expressions: &[Regex], entry: &Entry) -> Option<String> {
    let sources =
        [&*entry.location, entry.online_meeting_url().unwrap_or_default(), &*entry.body, &*entry.subject];
    sources.iter().find_map(|text| {
        expressions.iter().find_map(|expression| Some(expression.find(text)?.as_str().replace("&amp;", "&")))
    })
}

/// Scheme and host in lower case, without a slash at the end (join-address policy, 3.2).
fn comparable(url: &str) -> String {
    let path = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    let (host, path) = url.split_at(path);
    format!("{}{}", host.to_lowercase(), path.strip_suffix('/').unwrap_or(path))
}

fn compare(table: &mut Table, on: &str, who: &str, cases: &[Case], url: impl Fn(&Entry) -> Option<String>) {
    let right = cases
        .iter()
        .filter(|case| {
            let found = url(&case.input).map(|url| comparable(&url));
            case.expect.url.as_ref().is_none_or(|wanted| found == wanted.as_deref().map(comparable))
        })
        .count();
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < TIME {
        for case in cases {
            let begun = Instant::now();
            black_box(url(black_box(&case.input)));
            times.push(begun.elapsed());
        }
    }
    let bytes: usize = cases.iter().map(|case| case.input.size()).sum();
    let read = bytes as f64 * (times.len() / cases.len()) as f64 / (1024.0 * 1024.0);
    let spent: Duration = times.iter().sum();
    let spread = Spread::of(times);
    table.row(
        &format!("{who}: throughput"),
        read / spent.as_secs_f64(),
        "MiB/s",
        &format!("{on}; right link in {right} of {}", cases.len()),
    );
    for hundredths in [50, 99] {
        let time = micros(spread.percentile(hundredths));
        table.row(&format!("{who}: time of one, p{hundredths}"), time, "µs", on);
    }
}
