//! Zoho Meeting and Zoho Cliq.

use super::{Meeting, NOTHING, Provider, shapes};
use crate::link::Link;

/// `meeting.zoho.*/join`, `cliq.zoho.*/meetings/ID`, where `*` is one of Zoho's data centres and not just anything.
pub const PROVIDER: Provider = Provider { id: "zoho", owns: |host| product(host).is_some(), shape, ..NOTHING };

fn product(host: &str) -> Option<&str> {
    let (product, region) = host.split_once(".zoho.")?;
    let known = matches!(region, "com" | "eu" | "in" | "com.au" | "com.cn" | "jp" | "sa" | "ca" | "uk" | "ae");
    (known && matches!(product, "meeting" | "cliq")).then_some(product)
}

fn shape(link: &Link, segments: &[&str]) -> Option<Meeting> {
    match (product(link.host())?, segments) {
        ("meeting", ["join"]) => {
            let key = link.param("key").unwrap_or_default();
            Some(Meeting::at_with_id(link, key)).map(|at| Meeting { name: format!("{}?{key}", at.name), ..at })
        }
        ("cliq", ["meetings", id]) if shapes::is_id(id) => Some(Meeting::at_with_id(link, id)),
        _ => None,
    }
}
