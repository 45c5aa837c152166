//! `GET /domains`

use serde_json::{Value, json};

use super::Call;
use crate::refusal::Refusal;
use crate::world::{Reply, World};

/// The tenant's verified domains, in the documented shape.
pub fn list(world: &World, call: &Call<'_>) -> Result<Reply, Refusal> {
    call.no_options()?;
    let domain = |(number, name): (usize, &String)| {
        json!({
            "authenticationType": "Managed", "availabilityStatus": null, "id": name,
            "isAdminManaged": true, "isDefault": number == 0, "isInitial": name.ends_with(".onmicrosoft.com"),
            "isRoot": true, "isVerified": true, "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        })
    };
    let domains: Vec<Value> = world.entra.domains.iter().enumerate().map(domain).collect();
    let context = call.url(world, "/v1.0/$metadata#domains");
    Ok(Reply::json(200, json!({"@odata.context": context, "value": domains})))
}
