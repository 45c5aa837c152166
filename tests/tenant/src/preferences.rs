//! The `Prefer` header (graph contract, section 3.2). What stands there is answered by `Preference-Applied`; what is not
//! in the contract is a mistake.

use crate::ids::IdKind;
use crate::refusal::Refusal;
use crate::zones::Zone;

/// What a request prefers.
#[derive(Debug, Clone, PartialEq)]
pub struct Preferences {
    /// Zone of `start` and `end` in the answer.
    pub zone: Zone,
    /// Bodies as plain text.
    pub text_bodies: bool,
    /// Which ids the answer has.
    pub ids: IdKind,
    /// `odata.maxpagesize`.
    pub page_size: Option<usize>,
    /// For `Preference-Applied`.
    pub applied: Vec<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            zone: Zone::utc(),
            text_bodies: false,
            ids: IdKind::Regular,
            page_size: None,
            applied: Vec::new(),
        }
    }
}

/// Largest page that Outlook gives.
pub const MAX_PAGE: usize = 1000;

impl Preferences {
    /// Reads all `Prefer` headers of a request.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Result<Self, Refusal> {
        let mut preferences = Self::default();
        for part in headers.into_iter().flat_map(|header| header.split(',')) {
            preferences.read(part.trim())?;
        }
        Ok(preferences)
    }

    fn read(&mut self, part: &str) -> Result<(), Refusal> {
        let wrong = || {
            Refusal::mistake(400, "ErrorInvalidRequest", format!("The preference '{part}' is not supported."))
        };
        let (name, value) = part.split_once('=').ok_or_else(wrong)?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        match name.to_ascii_lowercase().as_str() {
            "outlook.timezone" => {
                let unknown = || {
                    let text = "The time zone of the preference 'outlook.timezone' is not supported.";
                    Refusal::mistake(400, "TimeZoneNotSupportedException", text)
                };
                self.zone = Zone::named(value)
                    .filter(|zone| !zone.name().starts_with("tzone:"))
                    .ok_or_else(unknown)?;
            }
            "outlook.body-content-type" => {
                self.text_bodies = match value.to_ascii_lowercase().as_str() {
                    "text" => true,
                    "html" => false,
                    _ => return Err(wrong()),
                };
            }
            "idtype" if value.eq_ignore_ascii_case("ImmutableId") => self.ids = IdKind::Immutable,
            "odata.maxpagesize" => {
                let size = value.parse().ok().filter(|size| (1..=MAX_PAGE).contains(size));
                self.page_size = Some(size.ok_or_else(wrong)?);
            }
            _ => return Err(wrong()),
        }
        self.applied.push(part.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_of_the_contract_are_read_and_others_refused() {
        let check = |header: &str, want: Option<(&str, bool, IdKind, Option<usize>)>| {
            let got = Preferences::parse([header]).ok();
            let got = got.as_ref().map(|p| (p.zone.name(), p.text_bodies, p.ids, p.page_size));
            assert_eq!(got, want, "{header}");
        };
        check(
            "outlook.timezone=\"W. Europe Standard Time\"",
            Some(("W. Europe Standard Time", false, IdKind::Regular, None)),
        );
        check(
            "outlook.timezone=\"Europe/Berlin\", outlook.body-content-type=\"text\", IdType=\"ImmutableId\", odata.maxpagesize=50",
            Some(("Europe/Berlin", true, IdKind::Immutable, Some(50))),
        );
        check("outlook.timezone=\"Nowhere\"", None);
        check("outlook.body-content-type=\"rtf\"", None);
        check("IdType=\"Regular\"", None);
        check("odata.maxpagesize=0", None);
        check("odata.track-changes", None);
        check("return=minimal", None);
        check("", None);
    }
}
