//! What a person sees of the show: a picture that is drawn anew on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::look::{Row, Style};
use crate::side::{Each, Side};
use crate::story::{Scene, Sight};
use crate::view::{Shown, View};

/// The picture is not drawn wider: eyes would have to travel.
const MOST_WIDTH: usize = 116;

/// Smaller terminals see a part of it.
const LEAST: (usize, usize) = (60, 16);

/// Lines of what happened that stay on the picture, where there is room.
const HAPPENED: usize = 10;

/// Cells of a meeting's time and title in plain lines.
const PLAIN_TITLE: usize = 40;

/// A button that is due within this shows a countdown.
const SOON: SignedDuration = SignedDuration::from_mins(15);

/// What the picture shows.
pub struct Picture<'a> {
    /// What the devices are called.
    pub titles: Each<&'a str>,
    /// What they show.
    pub views: Each<&'a View>,
    /// What was to be seen, oldest first.
    pub scenes: &'a [Scene],
    /// The clock.
    pub now: Timestamp,
    /// What the last line says.
    pub foot: String,
}

/// Where the show is seen.
pub struct Screen {
    zone: TimeZone,
    terminal: bool,
}

impl Screen {
    /// Standard output. A terminal is taken over until the screen is dropped.
    pub fn open() -> io::Result<Self> {
        let terminal = io::stdout().is_terminal();
        if terminal {
            // The alternate screen, without a cursor: what was on the terminal comes back at the end.
            write_out("\x1b[?1049h\x1b[?25l\x1b[2J")?;
        }
        Ok(Self { zone: TimeZone::system(), terminal })
    }

    /// Draws the picture, on a terminal.
    pub fn draw(&self, picture: &Picture<'_>) -> io::Result<()> {
        if !self.terminal {
            return Ok(());
        }
        let (width, height) = size();
        // The last cell stays free: erasing the rest of a full line would take its last character.
        let rows = frame(picture, &self.zone, (width - 1).min(MOST_WIDTH), height);
        let mut text = String::from("\x1b[H");
        let last = rows.len().saturating_sub(1);
        for (number, row) in rows.iter().enumerate() {
            text.push_str(&row.coloured());
            text.push_str("\x1b[K");
            if number != last {
                text.push_str("\r\n");
            }
        }
        text.push_str("\x1b[J");
        write_out(&text)
    }

    /// Says one thing, where there is no picture to see it in.
    pub fn tell(&self, at: Timestamp, who: &str, what: &str) -> io::Result<()> {
        if self.terminal {
            return Ok(());
        }
        write_out(&format!("{}  {who:<10}{what}\n", clock(at, &self.zone)))
    }

    /// Shows a device's list, where there is no picture to see it in.
    pub fn tell_list(&self, title: &str, view: &View, now: Timestamp) -> io::Result<()> {
        if self.terminal {
            return Ok(());
        }
        // One line for each meeting: what is below its title on a picture stands beside it here.
        let line = |shown: &Shown| {
            let mut rows = meeting(shown, view, now, &self.zone).into_iter();
            let title = rows.next().unwrap_or_default().fit(PLAIN_TITLE).plain();
            let below = rows.next().unwrap_or_default().plain();
            format!("           {title:<PLAIN_TITLE$} {}\n", below.trim_start()).trim_end().to_owned() + "\n"
        };
        let lines: String = view.meetings.iter().map(line).collect();
        write_out(&format!("          {title} shows\n{lines}"))
    }

    /// A time of day, for sentences.
    pub fn clock(&self, at: Timestamp) -> String {
        clock(at, &self.zone)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write_out("\x1b[?25h\x1b[?1049l");
        }
    }
}

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Columns and lines of the terminal.
fn size() -> (usize, usize) {
    rustix::termios::tcgetwinsize(io::stdout()).map_or((80, 24), |size| {
        (usize::from(size.ws_col).max(LEAST.0), usize::from(size.ws_row).max(LEAST.1))
    })
}

/// The whole picture.
fn frame(picture: &Picture<'_>, zone: &TimeZone, width: usize, height: usize) -> Vec<Row> {
    let rule = || Row::new().add("─".repeat(width), Style::Dim);
    let time = clock(picture.now, zone);
    let title = Row::new()
        .add(" Joinery ", Style::Bold)
        .add("meetings of Office 365 become Join buttons", Style::Dim);
    let mut rows = vec![title.fit(width.saturating_sub(time.len() + 1)).add(time, Style::Bold), rule()];

    // Two columns with a line between.
    let column = width.saturating_sub(3) / 2;
    let (left, right) = (side_rows(picture, Side::Room, zone), side_rows(picture, Side::Desktop, zone));
    let happened = picture.scenes.len().clamp(3, HAPPENED);
    let room = height.saturating_sub(rows.len() + happened + 4);
    let lines = left.len().max(right.len()).min(room);
    let pad = |side: Vec<Row>| side.into_iter().chain(std::iter::repeat_with(Row::new)).take(lines);
    for (left, right) in pad(left).zip(pad(right)) {
        rows.push(left.fit(column).add(" │ ", Style::Dim).then(right.fit(column)));
    }
    rows.push(rule());

    let heading = Row::new().add(" What happened, and how soon the devices showed it", Style::Bold);
    let marks =
        Row::new().add(format!("{:>MARK$}{:>MARK$}", Side::Room.name(), Side::Desktop.name()), Style::Bold);
    rows.push(heading.fit(width.saturating_sub(2 * MARK)).then(marks));
    let from = picture.scenes.len().saturating_sub(happened);
    for scene in picture.scenes.iter().skip(from) {
        rows.push(told(scene, zone, picture.now, width));
    }
    rows.push(Row::new());
    rows.push(Row::new().add(format!(" {}", picture.foot), Style::Dim).fit(width));
    rows.truncate(height);
    rows
}

/// Cells of the column with a device's delay.
const MARK: usize = 12;

/// One thing that happened, with both delays.
fn told(scene: &Scene, zone: &TimeZone, now: Timestamp, width: usize) -> Row {
    let since = clock(scene.since.room, zone);
    let text = Row::new().add(format!(" {since}  "), Style::Dim).add(sentence(scene, zone), Style::Plain);
    let mark = |side: Side| match scene.delay(side) {
        Some(delay) => Row::new().add(format!("{:>MARK$}", delay_text(scene.sight, delay)), Style::Good),
        None if scene.is_missed(now) => Row::new().add(format!("{:>MARK$}", "not seen"), Style::Bad),
        None => Row::new().add(format!("{:>MARK$}", "…"), Style::Dim),
    };
    text.fit(width.saturating_sub(2 * MARK)).then(mark(Side::Room)).then(mark(Side::Desktop))
}

/// A device's column.
fn side_rows(picture: &Picture<'_>, side: Side, zone: &TimeZone) -> Vec<Row> {
    let (title, view) = (picture.titles.of(side), picture.views.of(side));
    let (state, style) = if view.online { ("online", Style::Good) } else { ("offline", Style::Bad) };
    let mut rows = vec![Row::new().add(format!(" {title} "), Style::Bold).add(format!("● {state}"), style)];
    for shown in &view.meetings {
        rows.extend(meeting(shown, view, picture.now, zone));
    }
    rows
}

/// A meeting: its time and title, and below where Join leads, if anywhere.
fn meeting(shown: &Shown, view: &View, now: Timestamp, zone: &TimeZone) -> Vec<Row> {
    let minute = |at: Timestamp| at.to_zoned_datetime(zone.clone()).strftime("%H:%M").to_string();
    let time = if shown.all_day {
        "all day    ".to_owned()
    } else {
        format!("{}–{}", minute(shown.start), minute(shown.end))
    };
    let lit = view.is_lit(&shown.id);
    let style = if lit { Style::Bold } else { Style::Plain };
    let mut rows = vec![Row::new().add(format!(" {time}  "), Style::Dim).add(shown.subject.clone(), style)];
    if let Some(join) = &shown.join {
        let below = Row::new().add(" ".repeat(14), Style::Plain);
        rows.push(match shown.button {
            _ if lit => below.add(" Join ▶ ", Style::Button).add(format!("  {}", join.provider), Style::Dim),
            Some(button) if now < button.from && button.from.duration_since(now) < SOON => {
                below.add(format!("{}, Join in {}", join.provider, countdown(button.from, now)), Style::Dim)
            }
            _ => below.add(join.provider.clone(), Style::Dim),
        });
    }
    rows
}

/// What happened, in a sentence.
pub fn sentence(scene: &Scene, zone: &TimeZone) -> String {
    let (subject, start) = (&scene.subject, clock(scene.start, zone));
    let due = clock(scene.since.room, zone);
    match scene.sight {
        Sight::Listed => format!("{subject} is new, at {start}: listed"),
        Sight::Lit => format!("{subject}: Join button on at {due}"),
        Sight::Moved => format!("{subject} moved to {start}: list follows, button off"),
        Sight::LitAgain => format!("{subject}: Join button on again at {due}"),
        Sight::Gone => format!("{subject} cancelled: button and entry gone"),
    }
}

/// A delay: after a change, or from the second that was due.
pub fn delay_text(sight: Sight, delay: SignedDuration) -> String {
    let sign = if sight.is_by_the_clock() { "+" } else { "" };
    format!("{sign}{} ms", delay.as_millis())
}

fn countdown(to: Timestamp, now: Timestamp) -> String {
    // Rounded up: zero is when it is on.
    let seconds = (to.duration_since(now).as_millis() + 999) / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        format!("2026-11-24T{text}Z").parse().unwrap()
    }

    fn view() -> View {
        let plan = r#"{"id":"a","subject":"Plan","start":"2026-11-24T09:05:00Z","end":"2026-11-24T09:30:00Z","join":{"provider":"zoom"},
            "button":{"from":"2026-11-24T09:00:00Z","until":"2026-11-24T09:30:00Z"}}"#;
        let lunch = r#"{"id":"b","subject":"Lunch","start":"2026-11-24T12:00:00Z","end":"2026-11-24T13:00:00Z","join":null,"button":null}"#;
        let mut view = View::default();
        let text = format!(r#"{{"connection":"online","meetings":[{plan},{lunch}]}}"#);
        view.listed(serde_json::from_str(&text).unwrap(), true, time("08:59:56.5"));
        view
    }

    fn scene(seen: Option<Timestamp>) -> Scene {
        Scene {
            sight: Sight::Listed,
            subject: "Plan".into(),
            start: time("09:05:00"),
            since: Each::both(time("08:59:00")),
            seen: Each { room: seen, desktop: None },
        }
    }

    fn drawn(view: &View, now: Timestamp, scenes: &[Scene], width: usize, height: usize) -> Vec<String> {
        let picture = Picture {
            titles: Each { room: "Room", desktop: "Desk" },
            views: Each::both(view),
            scenes,
            now,
            foot: "Ctrl-C".into(),
        };
        frame(&picture, &TimeZone::UTC, width, height).iter().map(Row::plain).collect()
    }

    #[test]
    fn the_picture_at_eighty_columns() {
        let scenes = [scene(Some(time("08:59:00.412")))];
        let rows = drawn(&view(), time("08:59:05"), &scenes, 80, 24);
        let expected = [
            " Joinery meetings of Office 365 become Join buttons                    08:59:05",
            &"─".repeat(80),
            " Room ● online                         │  Desk ● online",
            " 09:05–09:30  Plan                     │  09:05–09:30  Plan",
            "              zoom, Join in 0:55       │               zoom, Join in 0:55",
            " 12:00–13:00  Lunch                    │  12:00–13:00  Lunch",
            &"─".repeat(80),
            " What happened, and how soon the devices showed it              room     desktop",
            " 08:59:00  Plan is new, at 09:05:00: listed                   412 ms           …",
            "",
            " Ctrl-C",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_button_that_is_on_is_drawn() {
        let mut view = view();
        let happened = r#"{"type":"button_shown","meeting":{"id":"a","subject":"Plan","start":"2026-11-24T09:05:00Z","end":"2026-11-24T09:30:00Z","join":null,"button":null}}"#;
        view.happened(serde_json::from_str(happened).unwrap(), time("09:00:00"));
        let rows = drawn(&view, time("09:00:01"), &[], 80, 24);
        assert!(rows.iter().any(|row| row.contains(" Join ▶   zoom")), "{rows:#?}");
    }

    #[test]
    fn what_was_missed_says_so_and_small_terminals_get_a_part() {
        let scenes: Vec<Scene> = (0..20).map(|_| scene(None)).collect();
        let rows = drawn(&view(), time("09:10:00"), &scenes, 60, 16);
        assert_eq!(rows.len(), 16);
        assert!(rows.iter().any(|row| row.ends_with("not seen    not seen")), "{rows:#?}");
        assert!(rows.iter().all(|row| row.chars().count() <= 60), "{rows:#?}");
    }

    #[test]
    fn countdowns_end_at_zero_when_it_is_on() {
        let check = |now: &str, text: &str| assert_eq!(countdown(time("09:00:00"), time(now)), text, "{now}");
        check("08:59:00", "1:00");
        check("08:59:00.001", "1:00");
        check("08:59:59.999", "0:01");
        check("09:00:00", "0:00");
    }
}
