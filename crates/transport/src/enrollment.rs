//! What enrollment asks of the connector, in the words of the domain.

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use joinery_model::{DeploymentId, DeviceId};
use joinery_seal::DevicePublic;
use zeroize::Zeroizing;

use crate::EnrollRefusal;

/// A try that was begun.
#[derive(Clone)]
pub struct Ticket {
    /// What the desk knows it by.
    pub id: String,
    /// The ten digits of the invitation; of an unknown one, digits that nobody knows.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(..)")
    }
}

/// What a device that has proved the code asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrollRequest {
    /// PKCS#10, DER. Its names are to be ignored.
    pub csr: Vec<u8>,
    /// The key that content keys are sealed to.
    pub hpke: DevicePublic,
    /// What the device calls itself. Printable, at most 100 characters.
    pub name: String,
    /// Hash of all of the above: the same request is to get the same answer.
    pub request_hash: [u8; 32],
}

impl fmt::Debug for EnrollRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrollRequest(..)")
    }
}

/// What an enrolled device gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The device's certificate, DER.
    pub certificate: Vec<u8>,
    /// What it trusts from now on: CA certificates, DER.
    pub anchors: Vec<Vec<u8>>,
    /// Who it is.
    pub device: DeviceId,
    /// Where it belongs.
    pub deployment: DeploymentId,
    /// Port of the session service, on the host that it enrolled at.
    pub session_port: u16,
}

/// Who is invited, how often they may try, what they get. Asked in this order: `begin`, then one of `finish` and
/// `failed`. A program that dies between leaves a try that was begun, which is why `begin` counts it.
#[async_trait]
pub trait EnrollmentDesk: Send + Sync {
    /// A device names an invitation by its six digits. Must count the try durably before it returns, and answer for an
    /// unknown or burned invitation exactly as for an open one, with a password that nobody knows.
    async fn begin(&self, lookup: &str, remote: IpAddr) -> Result<Ticket, EnrollRefusal>;

    /// The device has proved the code. Must record device and answer before it returns, and answer the same request
    /// with the same again.
    async fn finish(&self, ticket: Ticket, request: EnrollRequest) -> Result<Enrolled, EnrollRefusal>;

    /// The proof was wrong, or the run was given up.
    async fn failed(&self, ticket: Ticket);
}
