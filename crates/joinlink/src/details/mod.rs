//! The meeting's number and passcode, as the invitation prints them (policy section 6).

mod labels;

use std::ops::Range;

use crate::text::Page;

/// Everything printed on a page that may be a number or a passcode of its meeting.
#[derive(Default)]
pub struct Details {
    numbers: Vec<Printed>,
    passcodes: Vec<Printed>,
    dial_passcodes: Vec<Printed>,
}

struct Printed {
    at: usize,
    value: String,
}

/// Which part of a page is about one meeting: the part around its link, up to the links of other meetings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// From the link before to the meeting's own.
    before: Range<usize>,
    /// From the meeting's own link to the next one.
    behind: Range<usize>,
    /// The page has links to other meetings as well.
    shared: bool,
    /// Where the first link of the page stands.
    first_link: usize,
}

impl Section {
    /// The part around the first of `own` places, among `others`. Both ascending. With no link of its own the meeting
    /// has the part before the others.
    pub fn around(own: &[usize], others: &[usize], len: usize) -> Self {
        let anchor = own.first().copied().unwrap_or(0);
        let before = others.iter().rev().find(|at| **at < anchor).copied().unwrap_or(0);
        let behind = others.iter().find(|at| **at >= anchor).copied().unwrap_or(len);
        let first_link = others.first().copied().unwrap_or(anchor).min(anchor);
        Self { before: before..anchor, behind: anchor..behind, shared: !others.is_empty(), first_link }
    }

    /// A whole page.
    pub fn whole(len: usize) -> Self {
        Self { before: 0..0, behind: 0..len, shared: false, first_link: 0 }
    }

    /// The first of `found` that is printed here.
    fn pick<'a>(&self, found: &'a [Printed]) -> Option<&'a str> {
        let within = |range: &Range<usize>| found.iter().find(|printed| range.contains(&printed.at));
        // Where the page begins with details, they stand before their links; else behind them.
        let details_first = found.first().is_some_and(|printed| printed.at < self.first_link);
        let picked = if !self.shared {
            found.first()
        } else if details_first {
            within(&self.before).or_else(|| within(&self.behind))
        } else {
            within(&self.behind).or_else(|| within(&self.before))
        };
        picked.map(|printed| printed.value.as_str())
    }
}

impl Details {
    /// Reads a page.
    pub fn of(page: &Page) -> Self {
        let mut details = Self { numbers: labels::numbers(&page.text), ..Self::default() };
        // Passcodes printed behind the addresses for video systems are theirs.
        let video_from = labels::start_of_video_block(&page.text).unwrap_or(usize::MAX);
        for (printed, kind) in labels::passcodes(&page.text) {
            let numeric = printed.value.bytes().all(|b| b.is_ascii_digit());
            let for_video = printed.at > video_from && !details.passcodes.is_empty();
            match kind {
                labels::PasscodeKind::Meeting if for_video && numeric => details.dial_passcodes.push(printed),
                labels::PasscodeKind::Meeting => details.passcodes.push(printed),
                labels::PasscodeKind::Dial if numeric => details.dial_passcodes.push(printed),
                labels::PasscodeKind::Dial => {}
            }
        }
        details
    }

    /// The meeting's number, digits only.
    pub fn number(&self, section: &Section) -> Option<String> {
        section.pick(&self.numbers).map(str::to_owned)
    }

    /// What a person has to type to get in.
    pub fn passcode(&self, section: &Section) -> Option<String> {
        section.pick(&self.passcodes).map(str::to_owned)
    }

    /// The digits that a room system has to dial to get in.
    pub fn dial_passcode(&self, section: &Section) -> Option<String> {
        let dial = section.pick(&self.dial_passcodes).or_else(|| section.pick(&self.passcodes))?;
        dial.bytes().all(|b| b.is_ascii_digit()).then(|| dial.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, number: Option<&str>, passcode: Option<&str>, dial: Option<&str>) {
        let page = Page::of_text(text);
        let details = Details::of(&page);
        let section = Section::whole(page.text.len());
        assert_eq!(details.number(&section).as_deref(), number, "number in {text}");
        assert_eq!(details.passcode(&section).as_deref(), passcode, "passcode in {text}");
        assert_eq!(details.dial_passcode(&section).as_deref(), dial, "dial passcode in {text}");
    }

    #[test]
    fn labels_of_many_languages_are_read() {
        check("Meeting ID: 882 8681 9960\nPasscode: BioMark", Some("88286819960"), Some("BioMark"), None);
        check(
            "Meeting number (access code): 163 092 7714Meeting password: ZaB3 (1 from video)",
            Some("1630927714"),
            Some("ZaB3"),
            None,
        );
        check(
            "Meeting-Kennnummer (Zugriffscode): 2882 019 0610\nMeeting-Passwort: 9N",
            Some("28820190610"),
            Some("9N"),
            None,
        );
        check("Besprechungs-ID: 281 327 961 290 39\nKennung: QV", Some("28132796129039"), Some("QV"), None);
        check(
            "ID de la reunión: 261 383 099 121\nCódigo de acceso: a",
            Some("261383099121"),
            Some("a"),
            None,
        );
        check("ID de réunion : 261 383 099 121\nMot de passe : a", Some("261383099121"), Some("a"), None);
        check("Møte-ID: 147 466 401 918\nPassord: 5bygmq", Some("147466401918"), Some("5bygmq"), None);
        check("ID schůzky:\n311 332 786 642 6\nPřístupový kód:\nwR", Some("3113327866426"), Some("wR"), None);
        check("会议 ID：389 202 560\n密码：123456", Some("389202560"), Some("123456"), Some("123456"));
        check(
            "ミーティングID: 221 515 8618\nパスコード: 123459",
            Some("2215158618"),
            Some("123459"),
            Some("123459"),
        );
        check(
            "Идентификатор конференции: 221 515 8618\nКод доступа: 12",
            Some("2215158618"),
            Some("12"),
            Some("12"),
        );
    }

    #[test]
    fn numbers_of_other_things_are_none() {
        for other in [
            "Conference ID: 466 077 860#",
            "Phone Conference ID: 466 077 860#",
            "Konferenz-ID: 466 077 860#",
            "VTC Conference ID: 1229248800",
            "ビデオ会議 ID: 122 924 8800",
            "PIN: 105 520 509#",
            "Dial-in: +1 555-010-0199, access code 1234567#",
            "Meeting ID: 12345",
        ] {
            check(other, None, None, None);
        }
    }

    #[test]
    fn a_passcode_for_phones_is_not_the_meetings() {
        check("Passcode: abc\nDial-in passcode: 123456", None, Some("abc"), Some("123456"));
        check("Meeting password for video system\n48694204", None, None, None);
        check("Passwort für Telefon- und Videosysteme: 08967625", None, None, None);
        check(
            "Passcode: abc\nJoin by SIP\n1@zoomcrc.com\nPasscode: 8674095",
            None,
            Some("abc"),
            Some("8674095"),
        );
        check("Passcode: 11\nJoin by SIP\n1@zoomcrc.com\nPasscode: 22", None, Some("11"), Some("22"));
    }

    #[test]
    fn sentences_are_no_passcodes() {
        for other in [
            "Password: This meeting does not require a password.",
            "Passcode:\nJoin by phone",
            "Password: https://a.b/c",
            "Forgot your password? Reset it",
            "Host password: abc",
            "Wi-Fi password: abc",
            "Meeting number (access code): x",
        ] {
            check(other, None, None, None);
        }
    }

    #[test]
    fn a_meeting_has_the_part_of_the_page_around_its_link() {
        assert_eq!(Section::around(&[50], &[10, 90], 100).before, 10..50);
        assert_eq!(Section::around(&[50], &[10, 90], 100).behind, 50..90);
        assert_eq!(Section::around(&[], &[10], 100).behind, 0..10);
    }
}
