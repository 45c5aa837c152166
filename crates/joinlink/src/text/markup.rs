//! Reads an HTML body (policy 1.2).
//!
//! Works on the tokens of a real HTML tokenizer, which takes linear time whatever the markup; the tree that a browser
//! would build from them is not needed and would not.

use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{RawKind, Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::urls::{Escapes, scan, with_scheme};
use super::{Page, Written, quoted_printable, without_invisible};

/// Reads markup as a person sees it.
pub fn read(html: &str) -> Page {
    let decoded = quoted_printable::is_encoded_markup(html).then(|| quoted_printable::decode(html));
    let html = decoded.as_deref().unwrap_or(html);
    let mut tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    let mut tag = OpenTag::default();
    let mut rest = html;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(piece_len(rest));
        rest = behind;
        feed(&tokenizer, piece);
        if tag.is_flooded(piece, tokenizer.sink.produced.take()) {
            // Given up: what follows the tag is read afresh.
            rest = rest.split_once('>').map_or("", |(_, behind)| behind);
            let reader = tokenizer.sink;
            reader.state.borrow_mut().unseen = None;
            tokenizer = Tokenizer::new(reader, TokenizerOpts::default());
            tag = OpenTag::default();
        }
    }
    tokenizer.end();
    let mut state = tokenizer.sink.state.into_inner();
    state.end_run();
    state.page
}

fn feed(tokenizer: &Tokenizer<Reader>, piece: &str) {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(piece));
    // Nothing here stops the tokenizer but a script's end, after which it goes on where it was.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
}

/// Pieces are short, so that a flood is noticed in time.
const PIECE: usize = 4096;

/// The length of the next piece: up to the next tag, so that a tag only begins where a piece does.
fn piece_len(html: &str) -> usize {
    let bound = html.floor_char_boundary(PIECE).max(1);
    let near = html.get(..bound).unwrap_or(html);
    near.match_indices('<').map(|(at, _)| at).find(|at| *at > 0).unwrap_or(near.len())
}

/// The tokenizer compares each attribute of a tag with all before it. More attributes than this are nobody's mail but a
/// way to keep the program busy.
const MAX_ATTRIBUTES: usize = 2048;

/// Watches a tag that goes on for several pieces.
#[derive(Default)]
struct OpenTag {
    /// What is being read began as a tag; `None` between constructs, `false` in a comment.
    is_tag: Option<bool>,
    /// Signs between attributes so far, at least as many as there are attributes.
    separators: usize,
}

impl OpenTag {
    /// Takes note of a piece and of whether it completed anything; tells whether its tag has too many attributes.
    fn is_flooded(&mut self, piece: &str, completed: bool) -> bool {
        if completed {
            *self = Self::default();
            return false;
        }
        let begins = |sign: char| sign.is_ascii_alphabetic() || sign == '/';
        let is_tag = *self
            .is_tag
            .get_or_insert_with(|| piece.strip_prefix('<').is_some_and(|name| name.starts_with(begins)));
        let separates = |sign: &u8| sign.is_ascii_whitespace() || matches!(sign, b'/' | b'"' | b'\'');
        self.separators += piece.bytes().filter(separates).count();
        is_tag && self.separators > MAX_ATTRIBUTES
    }
}

#[derive(Default)]
struct Reader {
    state: RefCell<State>,
    /// A token came out since this was last asked.
    produced: Cell<bool>,
}

#[derive(Default)]
struct State {
    page: Page,
    /// Text since the last tag that ends a link.
    run: String,
    /// Depth of table cells at which the open `<a href>` began.
    anchor: Option<usize>,
    cells: usize,
    preformatted: usize,
    /// The element whose text nobody sees, until its end tag.
    unseen: Option<&'static str>,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        if !matches!(token, Token::ParseError(_)) {
            self.produced.set(true);
        }
        match token {
            Token::CharacterTokens(text) => state.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return state.start(&tag),
            Token::TagToken(tag) => state.end(&tag),
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn text(&mut self, text: &str) {
        if self.unseen.is_some() {
            return;
        }
        let text = without_invisible(text);
        if self.preformatted > 0 {
            self.run.push_str(&text);
        } else {
            self.run.push_str(&text.replace(['\r', '\n', '\t'], " "));
        }
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if name == "wbr" {
            return TokenSinkResult::Continue;
        }
        self.end_run();
        if is_block(name) {
            self.page.text.push('\n');
        }
        match name {
            "a" => self.start_anchor(tag),
            "td" | "th" => self.cells += 1,
            "pre" | "listing" => self.preformatted += 1,
            _ => {}
        }
        match raw_text(name) {
            Some((unseen, kind)) => {
                self.unseen = Some(unseen);
                TokenSinkResult::RawData(kind)
            }
            None if name == "textarea" => TokenSinkResult::RawData(Rcdata),
            None => TokenSinkResult::Continue,
        }
    }

    fn start_anchor(&mut self, tag: &Tag) {
        let href = tag.attrs.iter().find(|attribute| &*attribute.name.local == "href");
        self.anchor = href.map(|_| self.cells);
        if let Some(href) = href {
            let at = self.page.text.len();
            self.page.links.push(Written { at: at..at, text: clicked(&href.value), followed: true });
        }
    }

    fn end(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        if self.unseen.take_if(|unseen| *unseen == name).is_some() {
            return;
        }
        if name == "wbr" {
            return;
        }
        self.end_run();
        if is_block(name) {
            self.page.text.push('\n');
        }
        match name {
            "a" => self.anchor = None,
            "td" | "th" => {
                // A cell's end closes what was opened in it; a link around the whole table goes on.
                if self.anchor.is_some_and(|depth| depth >= self.cells) {
                    self.anchor = None;
                }
                self.cells = self.cells.saturating_sub(1);
            }
            "pre" | "listing" => self.preformatted = self.preformatted.saturating_sub(1),
            _ => {}
        }
    }

    /// Takes over the text since the last tag: no link reaches across a tag.
    fn end_run(&mut self) {
        let start = self.page.text.len();
        let run = std::mem::take(&mut self.run);
        for found in scan(&run, Escapes::Undone) {
            let at = start + found.at.start..start + found.at.end;
            self.page.push_shown(at, found.text, self.anchor.is_none());
        }
        self.page.text.push_str(&run);
        let end = self.page.text.len();
        if end > start {
            self.page.borders.push(end);
        }
    }
}

/// What a click on an `href` follows: without the space around it and the line breaks in it, up to the next space.
fn clicked(href: &str) -> String {
    let href = without_invisible(href).replace(['\r', '\n', '\t'], "");
    with_scheme(href.split_whitespace().next().unwrap_or_default())
}

/// Elements whose content is no markup and is not shown, with how the tokenizer has to read it.
fn raw_text(name: &str) -> Option<(&'static str, RawKind)> {
    let elements = [
        ("script", ScriptData),
        ("style", Rawtext),
        ("title", Rcdata),
        ("xmp", Rawtext),
        ("iframe", Rawtext),
        ("noembed", Rawtext),
        ("noframes", Rawtext),
    ];
    elements.into_iter().find(|(element, _)| *element == name)
}

/// Elements that begin and end a line. A cell of a table counts: what stands in the next one is something else.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "center"
            | "dd"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "table"
            | "tbody"
            | "td"
            | "th"
            | "tr"
            | "ul"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, want: &[&str]) {
        let page = read(html);
        let followed: Vec<&str> =
            page.links.iter().filter(|link| link.followed).map(|link| link.text.as_str()).collect();
        assert_eq!(followed, want, "{html}");
    }

    #[test]
    fn a_click_follows_the_href_and_not_the_text() {
        check("<a href='https://a.b/c'>https://x.y/z</a> https://d.e/f", &["https://a.b/c", "https://d.e/f"]);
        check("<A HREF=https://a.b/c>x</A>", &["https://a.b/c"]);
        check("<a href='zoom.us/j/123456789'>x</a>", &["https://zoom.us/j/123456789"]);
        check("<a href=\" https://a.b/\nc?d&amp;e \">x", &["https://a.b/c?d&e"]);
        check("<a name=x>https://a.b/c</a>", &["https://a.b/c"]);
        check("<a href=''>https://a.b/c</a>", &[""]);
        check("<a href='x'><table><td>y</td><td>https://a.b/c</td></table></a>", &["x"]);
        check("<td><a href='x'>y</td><td>https://a.b/c</td>", &["x", "https://a.b/c"]);
    }

    #[test]
    fn what_is_not_shown_is_not_read() {
        check("<!-- https://a.b/c --><style>https://a.b/d</style><script>'https://a.b/e'</script>", &[]);
        check("<title>https://a.b/c</title><img src='https://a.b/d' alt='https://a.b/e'>", &[]);
        check("<style><!-- </p> --></style><p>https://a.b/f</p>", &["https://a.b/f"]);
    }

    #[test]
    fn a_tag_ends_a_link_unless_it_only_allows_a_line_break() {
        check("https://a.b/c<br>d", &["https://a.b/c"]);
        check("https://a.b/c<b>d</b>", &["https://a.b/c"]);
        check("https://a.b/c<wbr>d&#8203;e&shy;f", &["https://a.b/cdef"]);
    }

    #[test]
    fn a_flood_of_attributes_costs_only_its_tag() {
        let flood: String = (0..9000).map(|n| format!(" x{n}")).collect();
        check(&format!("<a{flood}>x</a><a href='https://a.b/c'>y</a>"), &["https://a.b/c"]);
        check(&format!("<!-- {flood} > https://a.b/c --><p>https://a.b/d</p>"), &["https://a.b/d"]);
        check(
            &format!("<style>{flood} https://a.b/c</style{flood}><p>https://a.b/d</p>"),
            &["https://a.b/d"],
        );
        let image = "A".repeat(100_000);
        check(&format!("<img src='data:{image}'><a href='https://a.b/c'>y</a>"), &["https://a.b/c"]);
    }

    #[test]
    fn markup_that_still_is_quoted_printable_is_decoded() {
        check("<a href=3D\"https://a.b/c?d=3De=\r\nf\">x</a>", &["https://a.b/c?d=ef"]);
    }
}
