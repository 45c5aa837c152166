//! The internal certificate authority and the profiles of what it issues (contracts on enrollment, sections 2 and 3).

use std::fmt;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use joinery_model::{DeploymentId, DeviceId};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::{CertificateDer, DnsName, PrivatePkcs8KeyDer};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::{PkiError, peer, request, validity};

/// Ten years: devices pin it, and it is replaced by publishing old and new together.
pub const AUTHORITY_LIFE: SignedDuration = SignedDuration::from_hours(24 * 3652);

/// Ninety days; renewed while running.
pub const SERVER_LIFE: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Thirty days: rooms are off for holidays, and revocation is by deny list, so life need not be hours.
pub const DEVICE_LIFE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Certificates begin this much before they are made, for clocks that are behind.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A certificate and its key.
#[derive(Clone)]
pub struct Identity {
    /// X.509, DER.
    pub certificate: Vec<u8>,
    /// PKCS#8, DER.
    pub key: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// What a device gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCertificate {
    /// X.509, DER.
    pub der: Vec<u8>,
    /// Last second in which it is good.
    pub not_after: Timestamp,
}

/// The authority of one installation.
pub struct Authority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(..)")
    }
}

impl Authority {
    /// A new authority with a new ECDSA P-256 key, good for [`AUTHORITY_LIFE`]. `serial` is random.
    ///
    /// # Errors
    /// [`PkiError::Signing`] where the system gives no randomness; [`PkiError::BadTime`].
    pub fn create(deployment: DeploymentId, now: Timestamp, serial: [u8; 16]) -> Result<Self, PkiError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let mut params = profile(&format!("Joinery authority {deployment}"), now, AUTHORITY_LIFE, serial)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = false;
        let certificate = params.self_signed(&key)?.der().to_vec();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// An authority as it was stored: [`Self::certificate`] and [`Self::key`].
    ///
    /// # Errors
    /// [`PkiError::BadAuthority`] where the two cannot be read or do not belong together.
    pub fn from_stored(certificate: &[u8], key: &[u8]) -> Result<Self, PkiError> {
        let bad = |_| PkiError::BadAuthority;
        let key = KeyPair::from_pkcs8_der_and_sign_algo(
            &PrivatePkcs8KeyDer::from(key),
            &rcgen::PKCS_ECDSA_P256_SHA256,
        )
        .map_err(bad)?;
        let parsed = validity::parse(certificate).map_err(|_| PkiError::BadAuthority)?;
        if parsed.public_key().raw != key.subject_public_key_info() || !parsed.is_ca() {
            return Err(PkiError::BadAuthority);
        }
        let issuer = Issuer::from_ca_cert_der(&CertificateDer::from(certificate), key).map_err(bad)?;
        Ok(Self { certificate: certificate.to_vec(), issuer })
    }

    /// The authority's own certificate, DER: what devices trust.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The authority's key, PKCS#8, to be sealed and stored.
    pub fn key(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.issuer.key().serialize_der())
    }

    /// A new key and certificate for the connector, under these host names and addresses, good for [`SERVER_LIFE`] and
    /// for serving only.
    ///
    /// # Errors
    /// [`PkiError::NoServerName`], [`PkiError::BadServerName`]; [`PkiError::Signing`], [`PkiError::BadTime`].
    pub fn issue_server(
        &self,
        names: &[String],
        now: Timestamp,
        serial: [u8; 16],
    ) -> Result<Identity, PkiError> {
        if names.is_empty() {
            return Err(PkiError::NoServerName);
        }
        let mut params = profile("Joinery connector", now, SERVER_LIFE, serial)?;
        params.subject_alt_names = names.iter().map(|name| server_name(name)).collect::<Result<_, _>>()?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &self.issuer)?.der().to_vec();
        Ok(Identity { certificate, key: Zeroizing::new(key.serialize_der()) })
    }

    /// A certificate for the key of the request (PKCS#10, DER), good for [`DEVICE_LIFE`] and for connecting only. The
    /// names are `deployment` and `device`; those in the request are ignored.
    ///
    /// # Errors
    /// [`PkiError::BadRequest`], [`PkiError::UnsupportedKey`], [`PkiError::BadRequestSignature`];
    /// [`PkiError::Signing`], [`PkiError::BadTime`].
    pub fn issue_device(
        &self,
        request: &[u8],
        deployment: DeploymentId,
        device: DeviceId,
        now: Timestamp,
        serial: [u8; 16],
    ) -> Result<DeviceCertificate, PkiError> {
        let key = request::requested_key(request)?;
        let mut params = profile(&format!("Joinery device {device}"), now, DEVICE_LIFE, serial)?;
        let uri = peer::uri(deployment, device).try_into().map_err(PkiError::from)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let der = params.signed_by(&key, &self.issuer)?.der().to_vec();
        let not_after = validity(&der)?.not_after;
        Ok(DeviceCertificate { der, not_after })
    }
}

/// What all certificates have in common; of a leaf unless the caller makes it an authority.
fn profile(
    name: &str,
    now: Timestamp,
    life: SignedDuration,
    serial: [u8; 16],
) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = moment(now, -SKEW)?;
    params.not_after = moment(now, life)?;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn moment(now: Timestamp, offset: SignedDuration) -> Result<OffsetDateTime, PkiError> {
    let moment = now.checked_add(offset).map_err(|_| PkiError::BadTime)?;
    OffsetDateTime::from_unix_timestamp(moment.as_second()).map_err(|_| PkiError::BadTime)
}

fn server_name(name: &str) -> Result<SanType, PkiError> {
    let bad = || PkiError::BadServerName { name: name.to_owned() };
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let checked = DnsName::try_from(name).map_err(|_| bad())?;
    Ok(SanType::DnsName(checked.as_ref().to_owned().try_into().map_err(|_| bad())?))
}

#[cfg(test)]
mod tests {
    use joinery_model::DeviceId;
    use rcgen::string::Ia5String;
    use x509_parser::certificate::X509Certificate;
    use x509_parser::extensions::GeneralName;
    use x509_parser::prelude::FromDer;

    use super::*;
    use crate::{device_request, peer_name, validity};

    const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([0xd1; 16]);
    const DEVICE: DeviceId = DeviceId::from_bytes([0xde; 16]);
    const SERIAL: [u8; 16] = [0xfe; 16];

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn authority() -> Authority {
        Authority::create(DEPLOYMENT, now(), SERIAL).unwrap()
    }

    fn parsed(der: &[u8]) -> X509Certificate<'_> {
        X509Certificate::from_der(der).unwrap().1
    }

    /// Everything in a certificate that the profile decides, one fact a line.
    fn describe(der: &[u8]) -> String {
        let it = parsed(der);
        let names = it.subject_alternative_name().unwrap().map(|names| names.value.general_names.clone());
        let names: Vec<String> = names
            .unwrap_or_default()
            .iter()
            .map(|name| match name {
                GeneralName::DNSName(name) => format!("dns {name}"),
                GeneralName::URI(name) => format!("uri {name}"),
                GeneralName::IPAddress(bytes) => format!("ip {bytes:?}"),
                other => format!("{other:?}"),
            })
            .collect();
        let ca = it.basic_constraints().unwrap().map(|it| (it.value.ca, it.value.path_len_constraint));
        let usage = it.key_usage().unwrap().map(|it| it.value.to_string()).unwrap_or_default();
        let extended =
            it.extended_key_usage().unwrap().map(|it| (it.value.server_auth, it.value.client_auth));
        let life = validity(der).unwrap();
        format!(
            "subject {}\nissuer {}\nnames {names:?}\nca {ca:?}\nusage {usage}\nserver, client {extended:?}\nfrom {} to {}",
            it.subject(),
            it.issuer(),
            life.not_before,
            life.not_after,
        )
    }

    #[test]
    fn the_authority_is_a_ca_of_leaves_only() {
        assert_eq!(
            describe(authority().certificate()),
            "subject CN=Joinery authority d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1\n\
             issuer CN=Joinery authority d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1\n\
             names []\nca Some((true, Some(0)))\nusage Key Cert Sign, CRL Sign\nserver, client None\n\
             from 2026-03-01T11:55:00Z to 2036-02-29T12:00:00Z"
        );
    }

    #[test]
    fn a_server_certificate_names_what_is_configured() {
        let names = ["connector.example.com", "192.0.2.7", "2001:db8::1"].map(str::to_owned);
        let made = authority().issue_server(&names, now(), SERIAL).unwrap();
        assert_eq!(
            describe(&made.certificate),
            "subject CN=Joinery connector\nissuer CN=Joinery authority d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1\n\
             names [\"dns connector.example.com\", \"ip [192, 0, 2, 7]\", \
             \"ip [32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]\"]\n\
             ca Some((false, None))\nusage Digital Signature\nserver, client Some((true, false))\n\
             from 2026-03-01T11:55:00Z to 2026-05-30T12:00:00Z"
        );
    }

    #[test]
    fn names_that_no_certificate_can_carry_are_refused_by_name() {
        let check = |names: &[&str], want: PkiError| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(authority().issue_server(&names, now(), SERIAL).unwrap_err(), want);
        };
        check(&[], PkiError::NoServerName);
        for bad in ["", "a b", "https://x", "x:8443", "[::1]", "bücher.example"] {
            check(&["ok.example", bad], PkiError::BadServerName { name: bad.to_owned() });
        }
    }

    #[test]
    fn a_device_certificate_carries_our_names_and_none_of_the_request() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "root");
        params.subject_alt_names.push(SanType::URI(Ia5String::try_from("joinery://x/device/y").unwrap()));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let request = params.serialize_request(&key).unwrap();

        let authority = authority();
        let made = authority.issue_device(request.der(), DEPLOYMENT, DEVICE, now(), SERIAL).unwrap();
        assert_eq!(
            describe(&made.der),
            "subject CN=Joinery device dededededededededededededededede\n\
             issuer CN=Joinery authority d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1\n\
             names [\"uri joinery://d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1/device/dededededededededededededededede\"]\n\
             ca Some((false, None))\nusage Digital Signature\nserver, client Some((false, true))\n\
             from 2026-03-01T11:55:00Z to 2026-03-31T12:00:00Z"
        );
        let it = parsed(&made.der);
        assert_eq!(it.raw_serial(), [&[0][..], &SERIAL].concat(), "128 bits, positive");
        assert_eq!(it.public_key().raw, key.subject_public_key_info());
        it.verify_signature(Some(parsed(authority.certificate()).public_key())).unwrap();
        let name = peer_name(&made.der).unwrap();
        assert_eq!((name.deployment, name.device), (DEPLOYMENT, DEVICE));
        assert_eq!(name.not_after, made.not_after);
    }

    #[test]
    fn a_request_must_be_signed_by_its_own_key() {
        let (_, request) = device_request().unwrap();
        let issue = |der: &[u8]| authority().issue_device(der, DEPLOYMENT, DEVICE, now(), SERIAL).map(|_| ());
        assert_eq!(issue(&request), Ok(()));
        // The last bytes are the signature's second number.
        let mut forged = request.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(issue(&forged), Err(PkiError::BadRequestSignature));
        assert_eq!(issue(b"junk"), Err(PkiError::BadRequest));
        assert_eq!(issue(&[&request[..], b"x"].concat()), Err(PkiError::BadRequest));
        let large = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let large = CertificateParams::default().serialize_request(&large).unwrap();
        assert_eq!(issue(large.der()), Err(PkiError::UnsupportedKey));
        let small = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let small = CertificateParams::default().serialize_request(&small).unwrap();
        assert_eq!(issue(small.der()), Ok(()));
    }

    #[test]
    fn an_authority_is_the_same_after_storing_it() {
        let made = authority();
        let back = Authority::from_stored(made.certificate(), &made.key()).unwrap();
        let (_, request) = device_request().unwrap();
        let issued = back.issue_device(&request, DEPLOYMENT, DEVICE, now(), SERIAL).unwrap();
        parsed(&issued.der).verify_signature(Some(parsed(made.certificate()).public_key())).unwrap();
        assert_eq!(back.certificate(), made.certificate());
    }

    #[test]
    fn a_damaged_authority_is_refused() {
        let (one, other) = (authority(), authority());
        let check = |certificate: &[u8], key: &[u8]| {
            assert_eq!(Authority::from_stored(certificate, key).unwrap_err(), PkiError::BadAuthority);
        };
        check(one.certificate(), &other.key());
        check(b"junk", &one.key());
        check(one.certificate(), b"junk");
        let leaf = one.issue_server(&["x.example".to_owned()], now(), SERIAL).unwrap();
        check(&leaf.certificate, &leaf.key);
    }

    #[test]
    fn only_device_certificates_name_a_device() {
        let authority = authority();
        let server = authority.issue_server(&["x.example".to_owned()], now(), SERIAL).unwrap();
        assert_eq!(peer_name(&server.certificate), Err(PkiError::NotADevice));
        assert_eq!(peer_name(authority.certificate()), Err(PkiError::NotADevice));
        assert_eq!(peer_name(b"junk"), Err(PkiError::BadCertificate));
    }

    #[test]
    fn keys_do_not_print_themselves() {
        let made = authority().issue_server(&["x.example".to_owned()], now(), SERIAL).unwrap();
        assert_eq!(format!("{made:?} {:?}", authority()), "Identity(..) Authority(..)");
    }
}
