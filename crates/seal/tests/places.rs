//! What was sealed opens in its place, and nowhere else; changed in any bit, it does not open at all.

use joinery_model::{DeviceId, Epoch, EventId, MailboxId, Revision, TenantName};
use joinery_seal::{
    ContentKey, DevicePublic, DeviceSecret, GrantBinding, KeyBinding, MAX_PLAINTEXT, RowBinding, RowKind,
    SealError, Sealed, SealedGrant, accept_grant, blind_index, grant, open, row_id, seal, unwrap_payload,
    wrap_payload,
};
use proptest::prelude::*;

/// A place with names of its own, so that each part can be another.
#[derive(Debug, Clone)]
struct Place {
    tenant: TenantName,
    mailbox: [u8; 16],
    epoch: u32,
    kind: RowKind,
    id: Vec<u8>,
    revision: u64,
    device: [u8; 16],
}

impl Place {
    fn here() -> Self {
        Self {
            tenant: TenantName::new("contoso"),
            mailbox: [1; 16],
            epoch: 1,
            kind: RowKind::Meeting,
            id: vec![2; 16],
            revision: 3,
            device: [4; 16],
        }
    }

    fn key(&self) -> KeyBinding<'_> {
        let (mailbox, epoch) = (MailboxId::from_bytes(self.mailbox), Epoch(self.epoch));
        KeyBinding { tenant: &self.tenant, mailbox, epoch }
    }

    fn row(&self) -> RowBinding<'_> {
        RowBinding { key: self.key(), kind: self.kind, id: &self.id, revision: Revision(self.revision) }
    }

    fn grant(&self) -> GrantBinding<'_> {
        GrantBinding { key: self.key(), device: DeviceId::from_bytes(self.device) }
    }
}

/// `here` with one part changed.
fn elsewhere(change: impl FnOnce(&mut Place)) -> Place {
    let mut place = Place::here();
    change(&mut place);
    place
}

fn key() -> ContentKey {
    ContentKey::from_bytes([7; 32])
}

/// Tells keys apart without seeing them.
fn same(one: &ContentKey, two: &ContentKey) -> bool {
    blind_index(one, "same", b"") == blind_index(two, "same", b"")
}

#[test]
fn a_row_opens_in_its_place_only() {
    let sealed = seal(&key(), &Place::here().row(), [9; 12], b"text").unwrap();
    assert_eq!(open(&key(), &Place::here().row(), &sealed).unwrap().as_slice(), b"text");
    for place in [
        elsewhere(|place| place.tenant = TenantName::new("fabrikam")),
        elsewhere(|place| place.tenant = TenantName::new("")),
        elsewhere(|place| place.mailbox = [8; 16]),
        elsewhere(|place| place.kind = RowKind::SyncState),
        elsewhere(|place| place.kind = RowKind::Record(0)),
        elsewhere(|place| place.id = vec![2; 15]),
        elsewhere(|place| place.id = vec![3; 16]),
        elsewhere(|place| place.revision = 4),
        elsewhere(|place| place.revision = 0),
    ] {
        assert_eq!(open(&key(), &place.row(), &sealed), Err(SealError::Refused), "{place:?}");
    }
    let other_epoch = elsewhere(|place| place.epoch = 2);
    let told = SealError::WrongEpoch { sealed: Epoch(1), expected: Epoch(2) };
    assert_eq!(open(&key(), &other_epoch.row(), &sealed), Err(told));
    let other_key = ContentKey::from_bytes([6; 32]);
    assert_eq!(open(&other_key, &Place::here().row(), &sealed), Err(SealError::Refused));
}

#[test]
fn records_of_different_kinds_do_not_stand_for_each_other() {
    let at = |number| elsewhere(move |place| place.kind = RowKind::Record(number));
    let sealed = seal(&key(), &at(4).row(), [9; 12], b"a device").unwrap();
    assert_eq!(open(&key(), &at(5).row(), &sealed), Err(SealError::Refused));
}

#[test]
fn a_row_that_claims_another_epoch_does_not_open_there() {
    let sealed = seal(&key(), &Place::here().row(), [9; 12], b"text").unwrap();
    let mut bytes = sealed.into_bytes();
    bytes[4] = 2;
    let moved = Sealed::from_stored(bytes).unwrap();
    assert_eq!(moved.epoch(), Epoch(2));
    let there = elsewhere(|place| place.epoch = 2);
    assert_eq!(open(&key(), &there.row(), &moved), Err(SealError::Refused));
}

#[test]
fn a_row_changed_in_any_bit_does_not_open() {
    let sealed = seal(&key(), &Place::here().row(), [9; 12], b"text").unwrap();
    for at in 0..sealed.as_bytes().len() * 8 {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let opened = Sealed::from_stored(bytes).and_then(|bad| open(&key(), &Place::here().row(), &bad));
        assert!(opened.is_err(), "bit {at}");
    }
}

#[test]
fn only_whole_rows_of_a_known_version_are_taken() {
    let good = seal(&key(), &Place::here().row(), [9; 12], b"text").unwrap().into_bytes();
    for end in 0..good.len() {
        assert_eq!(Sealed::from_stored(good[..end].to_vec()), Err(SealError::Malformed), "{end}");
    }
    let longer: Vec<u8> = good.iter().copied().chain([0]).collect();
    assert_eq!(Sealed::from_stored(longer), Err(SealError::Malformed));
    let newer: Vec<u8> = [2].into_iter().chain(good[1..].iter().copied()).collect();
    assert_eq!(Sealed::from_stored(newer), Err(SealError::UnknownVersion { version: 2 }));
}

#[test]
fn sizes_show_in_steps_of_256() {
    let size = |bytes: usize| {
        seal(&key(), &Place::here().row(), [9; 12], &vec![b'x'; bytes])
            .map(|sealed| sealed.as_bytes().len() - 33)
    };
    assert_eq!([0, 1, 252, 253, 508, 509].map(|bytes| size(bytes).unwrap()), [256, 256, 256, 512, 512, 768]);
    assert!(size(MAX_PLAINTEXT).is_ok());
    let told = SealError::TooLarge { bytes: MAX_PLAINTEXT + 1, limit: MAX_PLAINTEXT };
    assert_eq!(size(MAX_PLAINTEXT + 1), Err(told));
}

#[test]
fn a_payload_is_the_key_of_its_place_only() {
    let payload = wrap_payload(&key(), &Place::here().key());
    assert!(same(&unwrap_payload(&payload, &Place::here().key()).unwrap(), &key()));
    for place in [
        elsewhere(|place| place.tenant = TenantName::new("fabrikam")),
        elsewhere(|place| place.mailbox = [8; 16]),
        elsewhere(|place| place.epoch = 2),
    ] {
        assert_eq!(unwrap_payload(&payload, &place.key()).unwrap_err(), SealError::Misplaced, "{place:?}");
    }
    for end in 0..payload.len() {
        let cut = unwrap_payload(&payload[..end], &Place::here().key());
        assert_eq!(cut.unwrap_err(), SealError::Malformed, "{end}");
    }
    let longer: Vec<u8> = payload.iter().copied().chain([0]).collect();
    assert_eq!(unwrap_payload(&longer, &Place::here().key()).unwrap_err(), SealError::Malformed);
}

#[test]
fn a_grant_is_for_one_key_of_one_device() {
    let device = DeviceSecret::from_seed([5; 32]);
    let given = grant(&key(), &Place::here().grant(), &device.public(), [9; 32]).unwrap();
    assert!(same(&accept_grant(&device, &Place::here().grant(), &given).unwrap(), &key()));
    for place in [
        elsewhere(|place| place.tenant = TenantName::new("fabrikam")),
        elsewhere(|place| place.mailbox = [8; 16]),
        elsewhere(|place| place.epoch = 2),
        elsewhere(|place| place.device = [8; 16]),
    ] {
        let accepted = accept_grant(&device, &place.grant(), &given);
        assert_eq!(accepted.unwrap_err(), SealError::Refused, "{place:?}");
    }
    let renewed = DeviceSecret::from_seed([6; 32]);
    let accepted = accept_grant(&renewed, &Place::here().grant(), &given);
    assert_eq!(accepted.unwrap_err(), SealError::Refused);
    for at in 0..given.encapsulated.len() + given.ciphertext.len() {
        let mut bad = given.clone();
        let bit = 1 << (at % 8);
        match at.checked_sub(bad.encapsulated.len()) {
            None => bad.encapsulated[at] ^= bit,
            Some(at) => bad.ciphertext[at] ^= bit,
        }
        let accepted = accept_grant(&device, &Place::here().grant(), &bad);
        assert_eq!(accepted.unwrap_err(), SealError::Refused, "byte {at}");
    }
    for cut in [
        SealedGrant { encapsulated: given.encapsulated[1..].to_vec(), ..given.clone() },
        SealedGrant { encapsulated: Vec::new(), ..given.clone() },
    ] {
        let accepted = accept_grant(&device, &Place::here().grant(), &cut);
        assert_eq!(accepted.unwrap_err(), SealError::Malformed);
    }
    let empty = SealedGrant { ciphertext: Vec::new(), ..given };
    assert_eq!(accept_grant(&device, &Place::here().grant(), &empty).unwrap_err(), SealError::Refused);
}

/// Points of low order would make the shared secret known to everybody (RFC 9180, section 7.1.4).
#[test]
fn nothing_is_granted_to_a_key_of_low_order() {
    let mut one = [0; 32];
    one[0] = 1;
    for public in [[0; 32], one] {
        let given = grant(&key(), &Place::here().grant(), &DevicePublic(public), [9; 32]);
        assert_eq!(given, Err(SealError::BadDeviceKey));
    }
}

#[test]
fn a_device_secret_survives_its_file() {
    let device = DeviceSecret::from_seed([5; 32]);
    let again = DeviceSecret::from_bytes(device.as_bytes().as_ref()).unwrap();
    assert_eq!(again.public(), device.public());
    assert_eq!(again.as_bytes(), device.as_bytes());
    for bad in [&[][..], &[5; 31], &[5; 33]] {
        assert_eq!(DeviceSecret::from_bytes(bad).unwrap_err(), SealError::Malformed);
    }
}

#[test]
fn an_index_differs_by_key_domain_and_value() {
    let other = ContentKey::from_bytes([8; 32]);
    let event = EventId::new("AAMk");
    let all = [
        blind_index(&key(), "a", b"bc"),
        blind_index(&key(), "ab", b"c"),
        blind_index(&key(), "a", b"BC"),
        blind_index(&other, "a", b"bc"),
        blind_index(&key(), "", b"AAMk"),
    ];
    for (n, one) in all.iter().enumerate() {
        assert!(all.iter().skip(n + 1).all(|two| one != two));
        assert_ne!(one.0, *row_id(&key(), &event).as_bytes());
    }
    assert_eq!(row_id(&key(), &event), row_id(&key(), &event));
    assert_ne!(
        row_id(&key(), &event),
        row_id(&key(), &EventId::new("aamk")),
        "Graph's ids are case-sensitive"
    );
    assert_ne!(row_id(&key(), &event), row_id(&other, &event));
}

#[test]
fn nothing_secret_prints() {
    let device = DeviceSecret::from_seed([5; 32]);
    let sealed = seal(&key(), &Place::here().row(), [9; 12], b"canary").unwrap();
    let given = grant(&key(), &Place::here().grant(), &device.public(), [9; 32]).unwrap();
    assert_eq!(
        format!("{:?} {device:?} {given:?}", key()),
        "ContentKey(..) DeviceSecret(..) SealedGrant(..)"
    );
    assert_eq!(format!("{sealed:?}"), "Sealed(epoch 1, 289 bytes)");
}

#[test]
fn no_error_says_what_was_sealed() {
    let long = "canary".repeat(MAX_PLAINTEXT / 6 + 1);
    let error = seal(&key(), &Place::here().row(), [9; 12], long.as_bytes()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert_eq!((error.code(), error.is_retryable()), ("seal-too-large", false));
}

proptest! {
    #[test]
    fn every_text_comes_back(
        text in prop::collection::vec(any::<u8>(), 0..2000),
        dek in any::<[u8; 32]>(),
        nonce in any::<[u8; 12]>(),
        tenant in ".{0,40}",
        mailbox in any::<[u8; 16]>(),
        epoch in any::<u32>(),
        id in prop::collection::vec(any::<u8>(), 0..64),
        revision in any::<u64>(),
    ) {
        let place = Place { tenant: TenantName::new(tenant), mailbox, epoch, id, revision, ..Place::here() };
        let key = ContentKey::from_bytes(dek);
        let sealed = seal(&key, &place.row(), nonce, &text).unwrap();
        prop_assert_eq!((sealed.as_bytes().len() - 33) % 256, 0);
        let stored = Sealed::from_stored(sealed.as_bytes().to_vec()).unwrap();
        prop_assert_eq!(&stored, &sealed);
        let opened = open(&key, &place.row(), &stored).unwrap();
        prop_assert_eq!(opened.as_slice(), text.as_slice());
        let unwrapped = unwrap_payload(&wrap_payload(&key, &place.key()), &place.key()).unwrap();
        prop_assert!(same(&unwrapped, &key));
    }

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        if let Ok(sealed) = Sealed::from_stored(bytes) {
            prop_assert!(open(&key(), &Place::here().row(), &sealed).is_err());
        }
    }
}

proptest! {
    // Few: curve arithmetic is slow without optimization.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_grant_is_accepted(dek in any::<[u8; 32]>(), device in any::<[u8; 32]>(), seed in any::<[u8; 32]>()) {
        let (key, device) = (ContentKey::from_bytes(dek), DeviceSecret::from_seed(device));
        let given = grant(&key, &Place::here().grant(), &device.public(), seed).unwrap();
        prop_assert!(same(&accept_grant(&device, &Place::here().grant(), &given).unwrap(), &key));
    }
}
