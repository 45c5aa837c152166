//! The proof of an activation code: who passes, who does not, and that nobody learns anything by failing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by failing"
)]

use joinery_model::{DeploymentId, DeviceId};
use joinery_pki::proof::{ChannelBinding, ConnectorRun, DeviceRun, MAC_LENGTH, answer_hash, request_hash};
use joinery_pki::{ActivationCode, PkiError};

const CODE: &str = "123456 7890123456";
const CHANNEL: [u8; 32] = [7; 32];
const REQUEST: [u8; 32] = [1; 32];
const ANSWER: [u8; 32] = [2; 32];

/// One run; every field is what one side sees.
struct Run {
    device_code: &'static str,
    password: &'static str,
    lookup: &'static str,
    device_channel: [u8; 32],
    connector_channel: [u8; 32],
    seen_request: [u8; 32],
    seen_answer: [u8; 32],
    altered_confirm: fn(&mut Vec<u8>),
    altered: fn(&mut Vec<u8>),
}

const GOOD: Run = Run {
    device_code: CODE,
    password: "7890123456",
    lookup: "123456",
    device_channel: CHANNEL,
    connector_channel: CHANNEL,
    seen_request: REQUEST,
    seen_answer: ANSWER,
    altered_confirm: |_| {},
    altered: |_| {},
};

/// Plays a run. `Err("connector")`: the connector refused, and gave no MAC; `Err("confirm")`:
/// the device found the connector's proof wrong; `Err("device")`: the device found the answer wrong.
fn play(run: &Run) -> Result<(), &'static str> {
    let code: ActivationCode = run.device_code.parse().unwrap();
    let (device, share) = DeviceRun::start(&code, [3; 32]);
    let (connector, answer_share) = ConnectorRun::start(run.password, run.lookup, &share, [4; 32]).unwrap();
    let (mac, waiting) = device.prove(&answer_share, &ChannelBinding(run.device_channel), REQUEST).unwrap();
    assert_eq!(mac.len(), MAC_LENGTH);
    let proven = connector.verify(&mac, &ChannelBinding(run.connector_channel), run.seen_request).map_err(
        |error| {
            assert_eq!(error, PkiError::ProofFailed);
            "connector"
        },
    )?;
    let mut mac = proven.confirm().unwrap();
    (run.altered_confirm)(&mut mac);
    let waiting = waiting.confirm(&mac).map_err(|error| {
        assert_eq!(error, PkiError::ProofFailed);
        "confirm"
    })?;
    assert!(proven.is_about(REQUEST) && !proven.is_about(ANSWER));
    let mut mac = proven.answer(ANSWER).unwrap();
    (run.altered)(&mut mac);
    waiting.verify(&mac, run.seen_answer).map_err(|error| {
        assert_eq!(error, PkiError::ProofFailed);
        "device"
    })
}

fn check(run: Run, want: Result<(), &'static str>) {
    assert_eq!(play(&run), want);
}

#[test]
fn the_right_code_passes_on_both_sides() {
    check(GOOD, Ok(()));
    check(Run { device_code: "000000 0000000000", password: "0000000000", lookup: "000000", ..GOOD }, Ok(()));
}

#[test]
fn a_wrong_code_fails_at_the_connector() {
    check(Run { password: "7890123457", ..GOOD }, Err("connector"));
    check(Run { device_code: "123456 0000000000", ..GOOD }, Err("connector"));
    check(Run { lookup: "123457", ..GOOD }, Err("connector"));
}

#[test]
fn another_channel_fails() {
    check(Run { connector_channel: [8; 32], ..GOOD }, Err("connector"));
    check(Run { device_channel: [8; 32], ..GOOD }, Err("connector"));
}

#[test]
fn an_altered_request_or_answer_fails() {
    check(Run { seen_request: [9; 32], ..GOOD }, Err("connector"));
    check(Run { seen_answer: [9; 32], ..GOOD }, Err("device"));
}

#[test]
fn an_altered_mac_fails() {
    check(Run { altered: |mac| mac[0] ^= 1, ..GOOD }, Err("device"));
    check(Run { altered: |mac| mac[31] ^= 0x80, ..GOOD }, Err("device"));
    check(Run { altered: |mac| mac.truncate(16), ..GOOD }, Err("device"));
    check(Run { altered: Vec::clear, ..GOOD }, Err("device"));
    check(Run { altered_confirm: |mac| mac[0] ^= 1, ..GOOD }, Err("confirm"));
    check(Run { altered_confirm: Vec::clear, ..GOOD }, Err("confirm"));
}

/// Its own MAC, sent back to it, is no proof to the device: each role has its own key.
#[test]
fn a_reflected_mac_fails() {
    let code: ActivationCode = CODE.parse().unwrap();
    let (device, share) = DeviceRun::start(&code, [3; 32]);
    let (_, answer_share) = ConnectorRun::start("7890123456", "123456", &share, [4; 32]).unwrap();
    let (mac, waiting) = device.prove(&answer_share, &ChannelBinding(CHANNEL), REQUEST).unwrap();
    assert_eq!(waiting.confirm(&mac).map(|_| ()), Err(PkiError::ProofFailed));
    let (device, share) = DeviceRun::start(&code, [3; 32]);
    assert_eq!(
        device.prove(&share, &ChannelBinding(CHANNEL), REQUEST).map(|_| ()).unwrap_err(),
        PkiError::BadShare,
        "nor is its own share a connector's"
    );
}

#[test]
fn junk_for_a_share_is_refused() {
    let code: ActivationCode = CODE.parse().unwrap();
    let (_, share) = DeviceRun::start(&code, [3; 32]);
    // 2 is the y of no point on the curve.
    let off_curve: Vec<u8> = [0x41, 2].into_iter().chain([0; 31]).collect();
    for junk in [&[][..], &[0x41][..], &share[..32], &[&share[..], &[0]].concat(), &off_curve] {
        let refused = ConnectorRun::start("7890123456", "123456", junk, [4; 32]).map(|_| ());
        assert_eq!(refused, Err(PkiError::BadShare), "{junk:?}");
    }
}

#[test]
fn another_seed_gives_another_share_and_no_share_shows_the_code() {
    let code: ActivationCode = CODE.parse().unwrap();
    let (one, first) = DeviceRun::start(&code, [3; 32]);
    let (_, second) = DeviceRun::start(&code, [5; 32]);
    assert_ne!(first, second);
    assert_eq!(format!("{one:?}"), "DeviceRun(..)");
}

#[test]
fn hashes_tell_every_field_apart() {
    let hash = request_hash(b"ab", b"c", "d");
    for other in
        [request_hash(b"a", b"bc", "d"), request_hash(b"ab", b"cd", ""), request_hash(b"ab", b"c", "e")]
    {
        assert_ne!(hash, other);
    }
    let device = DeviceId::from_bytes([1; 16]);
    let deployment = DeploymentId::from_bytes([2; 16]);
    let answer = |certificate: &[u8], anchors: &[&[u8]], port| {
        let anchors: Vec<Vec<u8>> = anchors.iter().map(|anchor| anchor.to_vec()).collect();
        answer_hash(certificate, &anchors, device, deployment, port)
    };
    let hash = answer(b"cert", &[b"a", b"b"], 8443);
    for other in [
        answer(b"cer", &[b"a", b"b"], 8443),
        answer(b"cert", &[b"ab"], 8443),
        answer(b"cert", &[b"a", b"b", b""], 8443),
        answer(b"cert", &[b"a", b"b"], 8444),
        answer_hash(
            b"cert",
            &[b"a".to_vec(), b"b".to_vec()],
            DeviceId::from_bytes([9; 16]),
            deployment,
            8443,
        ),
    ] {
        assert_ne!(hash, other);
    }
}

/// The bytes of version 1: both sides must go on computing the same.
#[test]
fn a_known_run_gives_the_known_macs() {
    let code: ActivationCode = CODE.parse().unwrap();
    let (device, share) = DeviceRun::start(&code, [3; 32]);
    let (connector, answer_share) = ConnectorRun::start("7890123456", "123456", &share, [4; 32]).unwrap();
    let channel = ChannelBinding(CHANNEL);
    let (device_mac, _) = device.prove(&answer_share, &channel, REQUEST).unwrap();
    let proven = connector.verify(&device_mac, &channel, REQUEST).unwrap();
    let connector_mac = proven.confirm().unwrap();
    let answer_mac = proven.answer(ANSWER).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(
        format!(
            "{}\n{}\n{}\n{}\n{}",
            hex(&share),
            hex(&answer_share),
            hex(&device_mac),
            hex(&connector_mac),
            hex(&answer_mac)
        ),
        "41774a75701a2a11083759a8f947d547906f0cbf22359c802be744ea1efdb91344\n\
         429cef498d92a49051f59b06253dc4115a7a5ce1967c7f7eb5f90365d31eefedb9\n\
         4b39acae47d237549549183005241c9a55374e1cebd269fb5ddb8c0506b38d09\n\
         b38600cf6c97e6f557b74dbd746a3a522e0d6e55012efb184b4564b291977593\n\
         e65b5fb61b71705a9efb9747734af21fe7215e9d5d3d80cbdbf762b6bc4a5869"
    );
}
