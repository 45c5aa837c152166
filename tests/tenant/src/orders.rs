//! Faults to order, and what an administrator may do to an application or a mailbox.

use std::time::Duration;

use serde::Deserialize;

use crate::error::TenantError;
use crate::faults::{Fault, Place};
use crate::serve::{SharedWorld, lock};
use crate::tenant::Tenant;

/// An order, as the control interface reads it: `{"fault": "throttle", "mailbox": "…", "retry_after": 2.5, "times": 3}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// All links of the mailbox die: its next delta request gets 410.
    ExpireDelta {
        /// Whose.
        mailbox: String,
    },
    /// The next use of a next link gets 410.
    ExpireDeltaMidRound {
        /// Whose.
        mailbox: String,
    },
    /// Delta pages break off in the middle of the body.
    CutPages {
        /// Whose.
        mailbox: String,
        /// How many.
        #[serde(default = "once")]
        times: u32,
    },
    /// 429.
    Throttle {
        /// Whose requests; nobody's: the token endpoint's.
        #[serde(default)]
        mailbox: Option<String>,
        /// Seconds in `Retry-After`, fractions allowed; missing: no such header.
        #[serde(default)]
        retry_after: Option<f64>,
        /// How many.
        #[serde(default = "once")]
        times: u32,
    },
    /// Any status.
    Fail {
        /// Whose requests; nobody's: the token endpoint's.
        #[serde(default)]
        mailbox: Option<String>,
        /// The status.
        status: u16,
        /// Seconds in `Retry-After`; missing: no such header.
        #[serde(default)]
        retry_after: Option<f64>,
        /// How many.
        #[serde(default = "once")]
        times: u32,
    },
    /// Answers come late.
    Slow {
        /// Whose requests; nobody's: the token endpoint's.
        #[serde(default)]
        mailbox: Option<String>,
        /// How late, in milliseconds.
        millis: u64,
        /// How many.
        #[serde(default = "once")]
        times: u32,
    },
    /// Most items on a page; nothing: as the client prefers.
    PageSize {
        /// Items.
        #[serde(default)]
        size: Option<usize>,
    },
    /// Delta pages repeat items.
    Replay {
        /// On or off.
        on: bool,
    },
    /// Delta gives empty pages in between.
    EmptyPages {
        /// On or off.
        on: bool,
    },
    /// An access policy keeps the application out of a mailbox: 403.
    DenyAccess {
        /// Whose.
        mailbox: String,
        /// On or off.
        on: bool,
    },
    /// A mailbox has no licence: 404.
    Unlicensed {
        /// Whose.
        mailbox: String,
        /// On or off.
        on: bool,
    },
    /// The client secret has run out.
    SecretExpired {
        /// On or off.
        on: bool,
    },
    /// Another secret is good from now on.
    ChangeSecret {
        /// The new one.
        secret: String,
    },
    /// The application is switched off.
    AppDisabled {
        /// On or off.
        on: bool,
    },
    /// Permissions from now on; tokens keep theirs.
    Roles {
        /// As Graph names them.
        roles: Vec<String>,
    },
    /// Graph refuses all tokens given so far.
    RevokeTokens,
    /// Tokens given from now on live so many seconds.
    TokenLifetime {
        /// Seconds.
        seconds: u64,
    },
    /// Forget the faults that have not struck.
    Clear,
}

fn once() -> u32 {
    1
}

/// Carries an order out.
pub(crate) fn apply(world: &SharedWorld, order: Order) -> Result<(), TenantError> {
    let mut world = lock(world);
    let mut strike = |mailbox: Option<String>, fault: Fault, times: u32| {
        let place = match mailbox {
            Some(name) => Place::Mailbox(
                world.mailbox(&name).ok_or(TenantError::UnknownMailbox)?.address.to_lowercase(),
            ),
            None => Place::Token,
        };
        world.faults.order(place, fault, times);
        Ok(())
    };
    match order {
        Order::Throttle { mailbox, retry_after, times } => {
            let retry_after = retry_after.map(|seconds| seconds.to_string());
            return strike(mailbox, Fault::Throttle { retry_after }, times);
        }
        Order::Fail { mailbox, status, retry_after, times } => {
            let retry_after = retry_after.map(|seconds| seconds.to_string());
            return strike(mailbox, Fault::Status(status, retry_after), times);
        }
        Order::Slow { mailbox, millis, times } => {
            return strike(mailbox, Fault::Slow(Duration::from_millis(millis)), times);
        }
        Order::CutPages { mailbox, times } => {
            let address = world.mailbox(&mailbox).ok_or(TenantError::UnknownMailbox)?.address.to_lowercase();
            world.faults.order(Place::Delta(address), Fault::Cut, times);
        }
        Order::ExpireDelta { mailbox } => {
            world.mailbox_mut(&mailbox).ok_or(TenantError::UnknownMailbox)?.links.expire();
        }
        Order::ExpireDeltaMidRound { mailbox } => {
            world.mailbox_mut(&mailbox).ok_or(TenantError::UnknownMailbox)?.links.dies_in_round = true;
        }
        Order::DenyAccess { mailbox, on } => {
            world.mailbox_mut(&mailbox).ok_or(TenantError::UnknownMailbox)?.denied = on;
        }
        Order::Unlicensed { mailbox, on } => {
            world.mailbox_mut(&mailbox).ok_or(TenantError::UnknownMailbox)?.unlicensed = on;
        }
        Order::PageSize { size } => world.page_limit = size,
        Order::Replay { on } => world.replay = on,
        Order::EmptyPages { on } => world.empty_pages = on,
        Order::SecretExpired { on } => world.entra.secret_expired = on,
        Order::ChangeSecret { secret } => world.entra.change_secret(secret),
        Order::AppDisabled { on } => world.entra.disabled = on,
        Order::Roles { roles } => world.entra.roles = roles,
        Order::RevokeTokens => world.entra.revoke_tokens(),
        Order::TokenLifetime { seconds } => world.entra.lifetime = Duration::from_secs(seconds),
        Order::Clear => world.faults.clear(),
    }
    Ok(())
}

impl Tenant {
    /// Carries any order out.
    pub fn order(&self, order: Order) -> Result<(), TenantError> {
        apply(self.world(), order)
    }

    /// All links of the mailbox die: its next delta request gets 410.
    pub fn expire_delta(&self, mailbox: &str) -> Result<(), TenantError> {
        self.order(Order::ExpireDelta { mailbox: mailbox.to_owned() })
    }

    /// The next use of a next link gets 410.
    pub fn expire_delta_mid_round(&self, mailbox: &str) -> Result<(), TenantError> {
        self.order(Order::ExpireDeltaMidRound { mailbox: mailbox.to_owned() })
    }

    /// The next `times` delta pages break off in the middle of the body, and the connection with them.
    pub fn cut_pages(&self, mailbox: &str, times: u32) -> Result<(), TenantError> {
        self.order(Order::CutPages { mailbox: mailbox.to_owned(), times })
    }

    /// The next `times` requests get 429 with `Retry-After` in seconds, fractions allowed, or without it.
    pub fn throttle(&self, mailbox: &str, retry_after: Option<f64>, times: u32) -> Result<(), TenantError> {
        self.order(Order::Throttle { mailbox: Some(mailbox.to_owned()), retry_after, times })
    }

    /// The next `times` requests for the mailbox get `status`.
    pub fn fail(&self, mailbox: &str, status: u16, times: u32) -> Result<(), TenantError> {
        self.order(Order::Fail { mailbox: Some(mailbox.to_owned()), status, retry_after: None, times })
    }

    /// The next `times` requests for a token get `status`.
    pub fn fail_token(&self, status: u16, times: u32) -> Result<(), TenantError> {
        self.order(Order::Fail { mailbox: None, status, retry_after: None, times })
    }

    /// The next `times` requests for the mailbox are answered after `delay`.
    pub fn slow(&self, mailbox: &str, delay: Duration, times: u32) -> Result<(), TenantError> {
        let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.order(Order::Slow { mailbox: Some(mailbox.to_owned()), millis, times })
    }

    /// Pages have at most so many items, whatever the client prefers.
    pub fn page_size(&self, size: usize) -> Result<(), TenantError> {
        self.order(Order::PageSize { size: Some(size) })
    }

    /// Delta pages repeat items of the page before.
    pub fn replay(&self, on: bool) -> Result<(), TenantError> {
        self.order(Order::Replay { on })
    }

    /// Delta gives empty pages in between.
    pub fn empty_pages(&self, on: bool) -> Result<(), TenantError> {
        self.order(Order::EmptyPages { on })
    }

    /// An access policy keeps the application out of the mailbox: 403 `ErrorAccessDenied`.
    pub fn deny_access(&self, mailbox: &str, on: bool) -> Result<(), TenantError> {
        self.order(Order::DenyAccess { mailbox: mailbox.to_owned(), on })
    }

    /// The mailbox has no licence: 404 `MailboxNotEnabledForRESTAPI`.
    pub fn unlicensed(&self, mailbox: &str, on: bool) -> Result<(), TenantError> {
        self.order(Order::Unlicensed { mailbox: mailbox.to_owned(), on })
    }

    /// Another secret is good from now on: the one that clients have becomes wrong (AADSTS7000215).
    pub fn change_secret(&self, secret: &str) -> Result<(), TenantError> {
        self.order(Order::ChangeSecret { secret: secret.to_owned() })
    }

    /// The client secret has run out (AADSTS7000222).
    pub fn expire_secret(&self, on: bool) -> Result<(), TenantError> {
        self.order(Order::SecretExpired { on })
    }

    /// The application is switched off in the tenant (AADSTS7000112).
    pub fn disable_app(&self, on: bool) -> Result<(), TenantError> {
        self.order(Order::AppDisabled { on })
    }

    /// Graph refuses all tokens given so far.
    pub fn revoke_tokens(&self) -> Result<(), TenantError> {
        self.order(Order::RevokeTokens)
    }

    /// Forgets the faults that have not struck.
    pub fn clear_faults(&self) -> Result<(), TenantError> {
        self.order(Order::Clear)
    }
}
