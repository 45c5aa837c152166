//! Ids, change keys and links' tokens as Outlook makes them: opaque, case-sensitive, of no visible order.
//!
//! All of them follow from a mailbox's seed and a counter, so that a mailbox needs no source of randomness.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::civil::Date;

/// Which of an item's two ids (graph contract, section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// The one that clients get if they ask for nothing.
    Regular,
    /// The one behind `Prefer: IdType="ImmutableId"`.
    Immutable,
}

/// An item: its number in the mailbox and, of one of a series, the date on which the series places it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemRef {
    /// Number of the single event or series master.
    pub number: u64,
    /// Original date of the occurrence or exception.
    pub date: Option<Date>,
}

impl ItemRef {
    /// A single event or a series master.
    pub const fn whole(number: u64) -> Self {
        Self { number, date: None }
    }

    /// One of a series.
    pub const fn occurrence(number: u64, date: Date) -> Self {
        Self { number, date: Some(date) }
    }
}

/// Sixteen bytes from which a mailbox's ids follow.
pub type Seed = [u8; 16];

/// How long the part of an id is that all of a series share.
const STEM: usize = 32;

const WHOLE: &str = "AAAAAAA=";

/// The part of an id that names a single event or a whole series.
pub fn stem(seed: &Seed, number: u64, kind: IdKind) -> String {
    let (prefix, salt) = match kind {
        IdKind::Regular => ("AAMkAG", 1),
        IdKind::Immutable => ("AAkALg", 2),
    };
    let mut text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes(seed, number, salt)));
    text.truncate(STEM);
    text
}

/// The whole id.
pub fn id(seed: &Seed, item: ItemRef, kind: IdKind) -> String {
    let stem = stem(seed, item.number, kind);
    match item.date {
        None => format!("{stem}{WHOLE}"),
        Some(date) => {
            let days =
                jiff::civil::date(1601, 1, 1).until(date).map_or(0, |span| span.get_days()).to_be_bytes();
            let [_, high, middle, low] = days;
            format!("{stem}{}", URL_SAFE_NO_PAD.encode([0x46, high, middle, low, 0x8e, 0x5a]))
        }
    }
}

/// Takes an id apart: the stem and the date behind it. Nothing if no mailbox ever gave such an id.
pub fn parse(id: &str) -> Option<(&str, Option<Date>)> {
    let (stem, rest) = id.split_at_checked(STEM)?;
    if !(stem.starts_with("AAMkAG") || stem.starts_with("AAkALg")) {
        return None;
    }
    if rest == WHOLE {
        return Some((stem, None));
    }
    let bytes = URL_SAFE_NO_PAD.decode(rest).ok()?;
    let [0x46, high, middle, low, 0x8e, 0x5a] = *bytes.as_slice() else { return None };
    let days = jiff::Span::new().try_days(i64::from(u32::from_be_bytes([0, high, middle, low]))).ok()?;
    Some((stem, Some(jiff::civil::date(1601, 1, 1).checked_add(days).ok()?)))
}

/// `changeKey`: differs with every change.
pub fn change_key(seed: &Seed, change: u64) -> String {
    let mut raw = [0; 18];
    raw.iter_mut().zip(seed.iter().copied().chain([0, 0])).for_each(|(to, from)| *to = from);
    raw.iter_mut().skip(10).zip(change.to_be_bytes()).for_each(|(to, from)| *to = from);
    STANDARD.encode(raw)
}

/// `iCalUId` of an item: each occurrence of a series has its own (graph contract, section 4.1).
pub fn ical_uid(seed: &Seed, item: ItemRef) -> String {
    let date = item.date.map_or_else(
        || "00000000".to_owned(),
        |date| format!("{:04X}{:02X}{:02X}", date.year(), date.month(), date.day()),
    );
    let tail: String =
        bytes(seed, item.number, 3).iter().take(16).map(|byte| format!("{byte:02X}")).collect();
    format!("040000008200E00074C5B7101A82E008{date}00000000000000000000000010000000{tail}")
}

/// A token for a next or delta link: long, and nobody guesses it.
pub fn token(seed: &Seed, number: u64) -> String {
    format!("{}%3d%3d", URL_SAFE_NO_PAD.encode(bytes(seed, number, 4)))
}

fn bytes(seed: &Seed, number: u64, salt: u64) -> [u8; 24] {
    let mut out = [0; 24];
    let (low, high) = seed.split_at(8);
    let part = |half: &[u8]| half.iter().fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
    let mut state = mix(part(low) ^ mix(number)) ^ mix(part(high).wrapping_add(salt));
    for chunk in out.chunks_mut(8) {
        state = mix(state);
        chunk.iter_mut().zip(state.to_be_bytes()).for_each(|(to, from)| *to = from);
    }
    out
}

/// The finalizer of SplitMix64: spreads a counter over all values without ever meeting one twice.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SEED: Seed = [7; 16];

    #[test]
    fn an_id_leads_back_to_its_stem_and_date() {
        let date = jiff::civil::date(2026, 11, 24);
        for kind in [IdKind::Regular, IdKind::Immutable] {
            for item in [ItemRef::whole(3), ItemRef::occurrence(3, date)] {
                let id = id(&SEED, item, kind);
                assert_eq!(parse(&id), Some((stem(&SEED, 3, kind).as_str(), item.date)), "{id}");
            }
        }
        for bad in [
            "",
            "AAMk",
            "BAMkAGxxxxxxxxxxxxxxxxxxxxxxxxxxAAAAAAA=",
            "AAMkAGxxxxxxxxxxxxxxxxxxxxxxxxxxAAAAAAAA",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_two_ids_are_the_same() {
        let ids: BTreeSet<String> =
            (0..1000).map(|number| id(&SEED, ItemRef::whole(number), IdKind::Regular)).collect();
        let keys: BTreeSet<String> = (0..1000).map(|change| change_key(&SEED, change)).collect();
        let tokens: BTreeSet<String> = (0..1000).map(|number| token(&SEED, number)).collect();
        assert_eq!((ids.len(), keys.len(), tokens.len()), (1000, 1000, 1000));
    }
}
