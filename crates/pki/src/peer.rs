//! Which device a certificate names.

use jiff::Timestamp;
use joinery_model::{DeploymentId, DeviceId};
use x509_parser::extensions::GeneralName;

use crate::{PkiError, Validity, validity};

/// What a device certificate says about its holder. Only as good as the verification of the certificate itself, which
/// the TLS handshake does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerName {
    /// The installation that issued it.
    pub deployment: DeploymentId,
    /// The device.
    pub device: DeviceId,
    /// First second in which it is good.
    pub not_before: Timestamp,
    /// Last second in which it is good.
    pub not_after: Timestamp,
}

/// The URI by which a certificate names a device.
pub(crate) fn uri(deployment: DeploymentId, device: DeviceId) -> String {
    format!("joinery://{deployment}/device/{device}")
}

fn from_uri(uri: &str) -> Option<(DeploymentId, DeviceId)> {
    let (deployment, device) = uri.strip_prefix("joinery://")?.split_once("/device/")?;
    Some((deployment.parse().ok()?, device.parse().ok()?))
}

/// Reads the device's name from a certificate, DER.
///
/// # Errors
/// [`PkiError::BadCertificate`]; [`PkiError::NotADevice`] where it names none or more than one.
pub fn peer_name(certificate: &[u8]) -> Result<PeerName, PkiError> {
    let parsed = validity::parse(certificate)?;
    let names = parsed
        .subject_alternative_name()
        .map_err(|_| PkiError::BadCertificate)?
        .ok_or(PkiError::NotADevice)?;
    let [GeneralName::URI(only)] = names.value.general_names.as_slice() else {
        return Err(PkiError::NotADevice);
    };
    let (deployment, device) = from_uri(only).ok_or(PkiError::NotADevice)?;
    let Validity { not_before, not_after } = validity::of(&parsed)?;
    Ok(PeerName { deployment, device, not_before, not_after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_names_a_device() {
        let deployment = DeploymentId::from_bytes([1; 16]);
        let device = DeviceId::from_bytes([2; 16]);
        let good = uri(deployment, device);
        assert_eq!(from_uri(&good), Some((deployment, device)));
        for bad in [
            "",
            "joinery://",
            &good.replace("joinery", "https"),
            &good.replace("/device/", "/user/"),
            &format!("{good}/x"),
            &format!("{good}0"),
        ] {
            assert_eq!(from_uri(bad), None, "{bad}");
        }
    }
}
