//! What a join link looks like (policy section 3): one file per provider, each with its hosts and its shapes.
//!
//! A host that belongs to a provider is judged by that provider alone; whatever is not one of its shapes (registration,
//! dial-in, recording and help pages, bare sites) is no join link. Self-hosted systems are known by the shape of the
//! link, and only on hosts that belong to nobody else.

mod shapes;

macro_rules! providers {
    ($($file:ident),+ $(,)?) => {
        $(mod $file;)+
        /// Every provider. The order only matters among self-hosted shapes, which do not overlap.
        const PROVIDERS: &[&Provider] = &[$(&$file::PROVIDER),+];
    };
}

providers![
    webex,
    zoom,
    teams,
    meet,
    goto,
    bluejeans,
    chime,
    jitsi,
    eight_by_eight,
    whereby,
    ringcentral,
    lifesize,
    starleaf,
    skypeforbusiness,
    skype,
    slack,
    discord,
    around,
    gather,
    vonage,
    dialpad,
    tencent,
    lark,
    zoho,
    livestorm,
    demio,
    clickmeeting,
    facetime,
    proton,
    teamviewer,
    workplace,
    livekit,
    calcom,
    element,
    whatsapp,
    blackboard,
    riverside,
    doxyme,
    coscreen,
    zhumu,
    pexip,
    cms,
    bigbluebutton,
];

pub use webex::is_site as is_webex_site;

use crate::link::Link;

/// Somebody's conferencing service.
pub struct Provider {
    /// Stable id, as in [`joinery_model::JoinTarget::provider`].
    pub id: &'static str,
    /// Whether the (lower-case) host is this provider's own.
    pub owns: fn(&str) -> bool,
    /// The meeting that a link on one of its own hosts leads to. The second argument is the link's path, in parts.
    pub shape: fn(&Link, &[&str]) -> Option<Meeting>,
    /// The meeting that a link on anybody's host leads to: the shape of a self-hosted system.
    pub self_hosted: fn(&Link, &[&str]) -> Option<Meeting>,
    /// The web link that a link for the provider's app stands for (policy 3.6).
    pub from_app: fn(&str) -> Option<String>,
    /// The join link behind a page of the provider that only starts the app (policy 3.6).
    pub behind_launcher: fn(&Link) -> Option<String>,
}

/// What a provider that says nothing else does: it owns no host and knows no shape.
const NOTHING: Provider = Provider {
    id: "",
    owns: |_| false,
    shape: |_, _| None,
    self_hosted: |_, _| None,
    from_app: |_| None,
    behind_launcher: |_| None,
};

/// What a join link says about its meeting.
#[derive(Clone, PartialEq, Eq)]
pub struct Meeting {
    /// The same for every link to the same meeting of one provider.
    pub name: String,
    /// The meeting's number or code.
    pub id: Option<String>,
    /// A passcode in the path; one in the query is part of the link and no passcode to type.
    pub passcode: Option<String>,
    /// The address to dial that follows from the link alone (policy 5.4).
    pub dial: Option<String>,
}

impl Meeting {
    /// A meeting that the whole link before its query names.
    fn at(link: &Link) -> Self {
        Self::named(format!("{}{}", link.host(), link.path().trim_end_matches('/')))
    }

    /// A meeting that goes by `name`.
    fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), id: None, passcode: None, dial: None }
    }

    /// A meeting that goes by its number, on whatever host.
    fn numbered(id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..Self::named(id) }
    }

    /// A meeting on its host, with a number where `id` is one.
    fn at_with_id(link: &Link, id: &str) -> Self {
        let id = shapes::is_number(id).then(|| id.to_owned());
        Self { id, ..Self::at(link) }
    }

    /// Adds an address to dial.
    fn dialled(self, address: Option<String>) -> Self {
        Self { dial: address, ..self }
    }
}

/// A link that was recognised.
#[derive(Clone)]
pub struct Recognised {
    /// Whose it is.
    pub provider: &'static str,
    /// Which meeting it leads to.
    pub meeting: Meeting,
}

/// The meeting a link leads to, if it is a join link.
pub fn recognise(link: &Link) -> Option<Recognised> {
    let segments = link.segments();
    let known = |provider: &&&Provider| (provider.owns)(link.host());
    if let Some(owner) = PROVIDERS.iter().find(known) {
        let meeting = (owner.shape)(link, &segments)?;
        return Some(Recognised { provider: owner.id, meeting });
    }
    PROVIDERS.iter().find_map(|provider| {
        let meeting = (provider.self_hosted)(link, &segments)?;
        Some(Recognised { provider: provider.id, meeting })
    })
}

/// Whether a host is somebody's: a link without scheme counts only there (policy 1.7).
pub fn is_known_host(host: &str) -> bool {
    PROVIDERS.iter().any(|provider| (provider.owns)(host))
}

/// The web link that an app's link stands for.
pub fn from_app(text: &str) -> Option<String> {
    PROVIDERS.iter().find_map(|provider| (provider.from_app)(text))
}

/// The join link behind a page that only starts an app.
pub fn behind_launcher(link: &Link) -> Option<String> {
    let owner = PROVIDERS.iter().find(|provider| (provider.owns)(link.host()))?;
    (owner.behind_launcher)(link)
}
