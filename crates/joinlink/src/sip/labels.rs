//! Words before an address that say it is to be dialled (policy 5.2).

use std::sync::LazyLock;

use regex::Regex;

/// A label is a line; longer ones are prose.
const REACH: usize = 160;

/// Each ends where the address begins. Nothing in it is counted: counting makes a large automaton, and a slow one. Between the words that make the label only words of the same kind may stand:
/// "ask about the video call, or write to" is no label.
static LABEL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?:",
        // "Dial" is often glued to the line before; in other languages it is a word of its own.
        r"dial|\b(?:wählen(?: sie)?|composez(?: le)?|composer(?: le)?|marque|marcar|componi|comporre|disque|discar|kies",
        r"|ring(?: upp)?(?: till?)?|soita|wybierz|vytočte|наберите|arayın)",
        r"|(?-u:\b)sip(?: (?:uri|address|adresse))?",
        r"|cisco devices",
        r"|(?:make |place )?(?:a )?video ?call to",
        // "Join from a video conferencing system or application", "Call from a video system"
        r"|(?:join|call|connect|dial)(?: in)? (?:from|with|using|by|on|via) (?:an? |your )?video",
        r"(?:[ -]?(?:conferenc(?:e|ing)|system|device|endpoint|room|application|app|or|and|an?)s?(?-u:\b))*",
        r"|join using microsoft (?:lync(?: or microsoft skype for business)?|skype for business)",
        r"|för videosystem.*ring till",
        r"|(?:über|von) .*video(?:gerät|system).*beitreten",
        r"|\b(?:à partir|desde|a partir|da|vanaf|från|fra) .*v[ií]d[eé]o",
        r"(?:[ -]*(?:ou?|e|of|och|eller|og|d'une?|una?|um|en|de|conf[eé]r[a-zéê]+|s[iy]st[eè]{1,2}m[ae]?|dispositivo|",
        r"aplicaci[oó]n|aplicativo|application|applicazione|program|toepassing|app))*",
        r"|videoneuvottelulaitteella",
        r")$"
    ))
    .ok()
});

/// Whether the text before an address ends in a label. An empty line between the two does not matter.
pub fn is_dial_label(before: &str) -> bool {
    let Some(label) = LABEL.as_ref() else { return false };
    let reach = before.char_indices().rev().take(REACH).last().map_or(before.len(), |(start, _)| start);
    let near = before.get(reach..).unwrap_or_default();
    let between = |c: char| {
        c.is_whitespace()
            || matches!(c, ':' | '：' | '•' | '·' | '*' | '-' | '–' | '>' | '"' | '\'' | '<' | '(')
    };
    let line = near.trim_end_matches(between).rsplit(['\n', '\r']).next().unwrap_or_default();
    label.is_match(&line.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_and_prose_is_not() {
        assert!(LABEL.is_some());
        for label in [
            "Dial ",
            "APPLICATIONDial ",
            "SIP: ",
            "Join by SIP\n\n  • ",
            "Cisco devices: ",
            "Video system, Spark: make video call to ",
            "För videosystem och Jabber, ring till ",
            "Über Videogerät oder -anwendung beitreten: ",
            "Join using Microsoft Skype for Business: ",
            "Call from a video system: ",
            "Join with a video conferencing device\n",
            "Rejoindre à partir d'un système vidéo ou d'une application : ",
            "Unirse desde un sistema o aplicación de vídeo\n",
            "Deelnemen vanaf een videosysteem of -toepassing: ",
        ] {
            assert!(is_dial_label(label), "{label}");
        }
        for other in [
            "",
            "Contact: ",
            "Join the video call or ask ",
            "gossip ",
            "Engineering: ",
            "cookies: ",
            "agenda video: ",
            "desde la sala de vídeo, escriba a ",
            "To dial in, write to ",
            "Join by SIP\nor ask ",
        ] {
            assert!(!is_dial_label(other), "{other}");
        }
    }
}
