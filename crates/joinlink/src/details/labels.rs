//! The words that invitations print before numbers and passcodes, in the languages that they are sent in.

use std::sync::LazyLock;

use regex::Regex;

use super::Printed;

/// Labels of a meeting's number. `ID` in its many word orders has a pattern of its own below.
const NUMBER_LABELS: &[&str] = &[
    // English, and Webex's and Zoom's half-translated ones.
    r"(?:meeting|event|webinar|session)[ -]?(?:id|number|no\.?|nummer|kennn?ummer)",
    r"access code",
    // German
    r"zugriffscode",
    r"besprechungs-?(?:id|nummer)",
    r"sitzungs-?(?:id|nummer)",
    // French, Spanish, Portuguese, Italian, Romanian
    r"(?:numéro|n°|número|numero) (?:(?:de|da|di|du|della|do) )?(?:la )?(?:réunion|reunión|reunião|riunione)",
    r"număr(?:ul)? (?:ședinței|întâlnirii|de ședință)",
    // Dutch, Swedish, Danish, Norwegian, Finnish
    r"vergader(?:ing)?s?-?(?:id|nummer)",
    r"mötes-?(?:id|nummer)",
    r"møde-?(?:id|nr\.?|nummer)",
    r"møte-?(?:id|nummer)",
    r"kokou(?:ksen |s)(?:tunnus|id|numero)",
    // Czech, Slovak, Polish, Hungarian, Turkish
    r"číslo sch(?:ů|ô)(?:zky|dze)",
    r"(?:identyfikator|numer) spotkania",
    r"értekezlet[ -]?(?:azonosító(?:ja)?|száma)",
    r"toplantı (?:kimliği|numarası)",
    // Russian, Ukrainian, Greek, Hebrew, Arabic, Thai
    r"(?:идентификатор|номер) (?:собрания|конференции|совещания)",
    r"(?:ідентифікатор|номер) (?:наради|конференції)",
    r"αναγνωριστικό σύσκεψης",
    r"מזהה ה?פגישה",
    r"معرف الاجتماع",
    r"รหัสการประชุม",
    // Japanese, Chinese, Korean
    r"(?:会議|ミーティング) ?(?:id|番号)",
    r"(?:会议|會議) ?(?:id|识别码|識別碼|号码|號碼|号|號)",
    r"(?:회의|모임|미팅) ?(?:id|번호)",
];

/// Labels of a passcode, in scripts with spaces: no letter may stand before them.
const PASSCODE_LABELS: &[&str] = &[
    r"pass ?(?:code|word)",
    r"passwort|kenncode|kennung|kennwort|zugangscode",
    r"(?:meeting|besprechungs|sitzungs)(?:passwort|kennwort|passcode)",
    r"mot de passe|code secret|code d['’]accès",
    r"contraseña|clave de acceso|código de (?:acceso|acesso)|senha|palavra-passe",
    r"codice di accesso|codice d['’]accesso",
    r"wachtwoord(?:code)?|toegangscode",
    r"(?:mötes?|møde|møte)?(?:lösenord|lösenkod|åtkomstkod|adgangskode|passord|passkode|tilgangskode)",
    r"salasana|tunnuskoodi|pääsykoodi|tunnusluku",
    r"přístupový kód|prístupový kód|heslo|kod dostępu|hasło",
    r"jelszó|hozzáférési kód|pin-kód|parolă|cod de acces|parola(?:sı)?|geçiş kodu",
    r"пароль|секретный код|код доступа|секретний код",
    r"κωδικός πρόσβασης|סיסמה|קוד גישה|رمز المرور|mật mã|mật khẩu|kode sandi|รหัสผ่าน",
];

/// "of the meeting", where a language puts it behind the passcode's label.
const OF_THE_MEETING: &str = r"(?: (?:(?:de|da|di|du|della|van|voor) )?(?:(?:la|het|de) )?(?:réunion|reunión|riunione|reunião|vergadering|meeting|schůzky|schôdze|spotkania|совещания|собрания|конференции|наради))?";

/// Labels of a passcode, in scripts without spaces.
const PASSCODE_LABELS_UNSPACED: &str =
    r"パスコード|パスワード|密码|密碼|通行码|通行碼|암호|비밀번호|패스코드";

/// Words around a label that make it the label of something else.
const OTHER_NUMBER: &str = r"(?i)confer|konfer|confér|phone|telefon|téléfon|téléphon|teléfon|telefoon|puhelin|(?-u:\b)pin(?-u:\b)|(?-u:\b)vtc(?-u:\b)|video|vidéo|vídeo|wideo|ビデオ|電話|电话|視訊|视频|전화|화상|user|tenant|attendee|participant|customer|order|ticket|case";

/// Compiles a pattern. Its word borders are ASCII ones: with others the matcher is many times slower on a text in
/// another script.
fn compiled(pattern: &str) -> Option<Regex> {
    // The patterns are constants, and a test compiles each of them.
    Regex::new(pattern).ok()
}

static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let labels = NUMBER_LABELS.join("|");
    compiled(&format!(
        r"(?i)(?P<label>(?:{labels})\s*(?:[(（][^)）\n]{{0,40}}[)）])?\s*[:：]?|(?P<id>(?-u:\b)id(?-u:\b)[^\d\n:：]{{0,24}}[:：]))\s*(?P<number>\d(?:[ \u{{a0}}\u{{202f}}-]?\d){{5,19}})(?P<hash>[ ]?#)?"
    ))
});

static OTHER: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(OTHER_NUMBER));

/// Every number printed behind a label.
pub fn numbers(text: &str) -> Vec<Printed> {
    let (Some(pattern), Some(other)) = (NUMBER.as_ref(), OTHER.as_ref()) else { return Vec::new() };
    let read = |found: regex::Captures<'_>| {
        let (label, number) = (found.name("label")?, found.name("number")?);
        let digits: String = number.as_str().chars().filter(char::is_ascii_digit).collect();
        let any_id = found.name("id").is_some();
        let is_access_code = label.as_str().to_lowercase().starts_with("access code");
        let words = format!("{}{}", words_before(text, label.start()), label.as_str());
        let is_other = other.is_match(&words);
        let too_short = any_id && digits.len() < 9;
        let dialled = is_access_code && found.name("hash").is_some();
        (!is_other && !too_short && !dialled && digits.len() <= 16)
            .then(|| Printed { at: label.start(), value: digits })
    };
    pattern.captures_iter(text).filter_map(read).collect()
}

/// What stands directly before a label, up to the sign that ends the thought before.
fn words_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let reach = before.char_indices().rev().take(24).last().map_or(at, |(start, _)| start);
    let near = before.get(reach..).unwrap_or_default();
    near.rsplit(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':' | ';' | '(' | ')' | '\n' | '|'))
        .next()
        .unwrap_or_default()
}

/// Whom a passcode is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasscodeKind {
    /// Whoever joins.
    Meeting,
    /// Whoever dials in.
    Dial,
}

static PASSCODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let labels = PASSCODE_LABELS.join("|");
    compiled(&format!(
        r#"(?i)(?:(?:^|[^\p{{L}}])(?P<label>(?:{labels}){OF_THE_MEETING})|(?P<unspaced>{PASSCODE_LABELS_UNSPACED}))(?P<note>\s*[(（][^)）\n]{{0,40}}[)）])?(?:\s*[:：](?P<gap>\s*)(?P<value>[^\s<>"()（），。；]{{1,64}})(?P<tail>[^\n]?[^\n]?)|[ \u{{a0}}]+(?P<bare>\d{{4,10}})(?-u:\b))"#
    ))
});

static FOR_DIALLING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(
        r"(?i)dial|phone|telefon|téléphon|teléfon|audio|video|vidéo|vídeo|numeric|h\.?323|(?-u:\b)sip(?-u:\b)|電話|电话|视频|ビデオ",
    )
});

static FOR_OTHERS: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(r"(?i)host|panelist|wi-?fi|wlan|guest|gast"));

/// Every passcode printed behind a label.
pub fn passcodes(text: &str) -> Vec<(Printed, PasscodeKind)> {
    let (Some(pattern), Some(dial), Some(others)) =
        (PASSCODE.as_ref(), FOR_DIALLING.as_ref(), FOR_OTHERS.as_ref())
    else {
        return Vec::new();
    };
    let read = |found: regex::Captures<'_>| {
        let label = found.name("label").or_else(|| found.name("unspaced"))?;
        let note = found.name("note").map_or("", |note| note.as_str());
        let words = words_before(text, label.start());
        let value = match (found.name("value"), found.name("bare")) {
            (Some(value), _) => {
                let next_line = found.name("gap").is_some_and(|gap| gap.as_str().contains('\n'));
                let tail = found.name("tail").map_or("", |tail| tail.as_str().trim());
                // On a line of its own a passcode stands alone; what goes on there is a sentence.
                let sentence = next_line && !tail.is_empty() && !tail.starts_with(['(', '（']);
                if sentence { None } else { passcode(value.as_str()) }
            }
            (None, bare) => bare.map(|bare| bare.as_str().to_owned()),
        }?;
        if others.is_match(words) {
            return None;
        }
        let for_dialling = dial.is_match(words) || dial.is_match(note);
        let kind = if for_dialling { PasscodeKind::Dial } else { PasscodeKind::Meeting };
        Some((Printed { at: label.start(), value }, kind))
    };
    pattern.captures_iter(text).filter_map(read).collect()
}

/// A printed word as a passcode, unless it is the beginning of a sentence, an address or the next label.
fn passcode(word: &str) -> Option<String> {
    let word = word.trim_end_matches(['.', ',', ';']);
    let is_word = ["this", "not", "none", "no", "n/a", "the", "is", "see", "-"]
        .iter()
        .any(|w| w.eq_ignore_ascii_case(word));
    let is_other = word.is_empty() || is_word || word.contains("://") || word.ends_with([':', '：']);
    (!is_other).then(|| word.to_owned())
}

static VIDEO_BLOCK: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(r"(?i)(?-u:\b)sip(?-u:\b)|(?-u:\b)h\.?323(?-u:\b)|zoomcrc\.com"));

/// Where the addresses for video systems begin.
pub fn start_of_video_block(text: &str) -> Option<usize> {
    VIDEO_BLOCK.as_ref()?.find(text).map(|found| found.start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&NUMBER, &OTHER, &PASSCODE, &FOR_DIALLING, &FOR_OTHERS, &VIDEO_BLOCK] {
            assert!(pattern.is_some());
        }
    }
}
