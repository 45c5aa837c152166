//! From what stands in a calendar entry to a page: the text a person sees and the links in it (policy section 1).

mod markup;
mod quoted_printable;
mod urls;

use std::ops::Range;

use joinery_model::BodyKind;

/// One source as a person sees it.
#[derive(Default)]
pub struct Page {
    /// The visible text. Blocks of markup end in a line break; invisible characters are gone.
    pub text: String,
    /// Places in `text` where a tag stood, ascending. No address reaches across one.
    borders: Vec<usize>,
    /// Parts of `text` that are links, ascending.
    covered: Vec<Range<usize>>,
    /// Links in the order of the document, followed by a click or not.
    pub links: Vec<Written>,
}

/// A link as it was written.
pub struct Written {
    /// Where it stands in the page's text. An `href` stands where its element begins and covers nothing.
    pub at: Range<usize>,
    /// The link with escapes of the surrounding text undone, not yet checked.
    pub text: String,
    /// Whether a person's click follows it. The text of an element that has an `href` is only shown.
    pub followed: bool,
}

impl Page {
    /// Reads a body.
    pub fn of_body(kind: BodyKind, content: &str) -> Self {
        match kind {
            BodyKind::Html => markup::read(content),
            BodyKind::Text => Self::of_text(content),
        }
    }

    /// Reads plain text.
    pub fn of_text(text: &str) -> Self {
        let mut page = Self { text: without_invisible(text), ..Self::default() };
        for found in urls::scan(&page.text, urls::Escapes::Ampersand) {
            page.push_shown(found.at, found.text, true);
        }
        page
    }

    /// The part of the text around `at` in which no tag stands.
    pub fn run_around(&self, at: usize) -> Range<usize> {
        let next = self.borders.partition_point(|border| *border <= at);
        let start = next.checked_sub(1).and_then(|before| self.borders.get(before)).copied().unwrap_or(0);
        start..self.borders.get(next).copied().unwrap_or(self.text.len())
    }

    /// Whether `at` lies inside a link of the text.
    pub fn is_in_link(&self, at: usize) -> bool {
        let next = self.covered.partition_point(|link| link.start <= at);
        let before = next.checked_sub(1).and_then(|before| self.covered.get(before));
        before.is_some_and(|link| link.contains(&at))
    }

    /// Adds a link that stands in the text.
    fn push_shown(&mut self, at: Range<usize>, text: String, followed: bool) {
        self.covered.push(at.clone());
        self.links.push(Written { at, text, followed });
    }
}

/// Takes out what is there but not seen (policy 1.5): zero-width characters and soft hyphens.
pub fn without_invisible(text: &str) -> String {
    let invisible =
        |c: char| matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}');
    text.replace(invisible, "")
}
