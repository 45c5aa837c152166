//! The exact bytes of everything sealed. What was sealed once must open for ever, so these answers never change; a new
//! shape gets a new version and an answer beside the old one. Computed by an independent implementation.
#![expect(clippy::unwrap_used, reason = "this is a test")]

use joinery_model::{DeviceId, Epoch, EventId, MailboxId, Revision, RowId, TenantName};
use joinery_seal::{
    BlindIndex, ContentKey, DeviceSecret, GrantBinding, KeyBinding, RowBinding, RowKind, Sealed, SealedGrant,
    accept_grant, blind_index, grant, open, row_id, seal, unwrap_payload, wrap_payload,
};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex32(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

fn counting<const N: usize>(from: u8) -> [u8; N] {
    std::array::from_fn(|n| from + u8::try_from(n).unwrap())
}

fn content_key() -> ContentKey {
    ContentKey::from_bytes(counting(0))
}

fn binding(tenant: &TenantName) -> KeyBinding<'_> {
    KeyBinding { tenant, mailbox: MailboxId::from_bytes([0xa1; 16]), epoch: Epoch(3) }
}

/// The key that seals everything here, by a row that was sealed with it.
fn is_content_key(key: &ContentKey) -> bool {
    blind_index(key, "mailbox", b"room@contoso.example") == BlindIndex(counted_index())
}

fn counted_index() -> [u8; 16] {
    hex("70d8401634d9ea1bce986af802a72d31").try_into().unwrap()
}

#[test]
fn a_wrapped_payload() {
    let tenant = TenantName::new("contoso");
    let payload = hex(concat!(
        "4a444b31",
        "69bc42dbd0d591ab895040c25e1dc5baba8b2c5f3d93dcdddd7d27b3f01f1fb9",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    ));
    assert_eq!(wrap_payload(&content_key(), &binding(&tenant)).as_slice(), payload);
    assert!(is_content_key(&unwrap_payload(&payload, &binding(&tenant)).unwrap()));
}

#[test]
fn a_sealed_row() {
    let tenant = TenantName::new("contoso");
    let place =
        RowBinding { key: binding(&tenant), kind: RowKind::Meeting, id: &[0x5e; 16], revision: Revision(7) };
    let row = hex(concat!(
        "01",
        "00000003",
        "404142434445464748494a4b",
        "f9f81fb36cb0473c3a3a439c5d833565cf90e69348fb97d11fd6e645dcdfc50c5bf45014bc6ac07afa24ba97c2c3b694",
        "0255763f86fae049cf777c2e19c4f028e9f6eee32129b7cde77612dd4db05c9c97d433427547d8f23712d70a70b1c6f6",
        "b0a5bed736af3f2208f276277f7c56f314fcbc352b80ff80888e0da61958840d1bbaee4e0c0574f418840a74fe217baf",
        "09ec427177784e87e0b6d05ebedb2e6a4525744eea7f07c460b939438005f462bbdde8e67a2f7d4b2f0c64dbbee79cab",
        "d18666f077ceb0d6edbc4ae1ddba957fbbca5e63f8f77ed40b53148d5936a2b5d80b0c360919f4b29cb23c560f5b0c70",
        "b5ddd66ecedd756e8f67b4d559e2cd718b49b16cd9c416d7f177829b68f99ca3"
    ));
    let sealed = seal(&content_key(), &place, counting(0x40), b"a meeting").unwrap();
    assert_eq!(sealed.as_bytes(), row);
    let stored = Sealed::from_stored(row).unwrap();
    assert_eq!(stored.epoch(), Epoch(3));
    assert_eq!(open(&content_key(), &place, &stored).unwrap().as_slice(), b"a meeting");
}

#[test]
fn an_index_and_a_row_id() {
    assert!(is_content_key(&content_key()));
    let row: [u8; 16] = hex("ebfabac8a299d0d283b8fee5c94d3b2a").try_into().unwrap();
    assert_eq!(row_id(&content_key(), &EventId::new("AAMkAG==")), RowId::from_bytes(row));
}

/// Recipient and ephemeral key are those of RFC 9180, A.1.1.
#[test]
fn a_grant() {
    let tenant = TenantName::new("contoso");
    let place = GrantBinding { key: binding(&tenant), device: DeviceId::from_bytes([0xd0; 16]) };
    let device =
        DeviceSecret::from_seed(hex32("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037"));
    assert_eq!(device.public().0, hex32("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"));
    let seed = hex32("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234");
    let want = SealedGrant {
        encapsulated: hex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"),
        ciphertext: hex(concat!(
            "21730f2b927c5de4e28f73eff87e3388ca92543334c658990e84f586b3a5f397",
            "3b1c8ed654c190571412bc367dd28908"
        )),
    };
    assert_eq!(grant(&content_key(), &place, &device.public(), seed), Ok(want.clone()));
    assert!(is_content_key(&accept_grant(&device, &place, &want).unwrap()));
}
