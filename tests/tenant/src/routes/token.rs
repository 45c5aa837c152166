//! `POST {tenant}/oauth2/v2.0/token`

use jiff::Timestamp;

use crate::entra::{TokenRefusal, refuse};
use crate::world::{Incoming, Reply, World, header, request_id};

/// Answers a request for a token.
pub fn answer(world: &mut World, now: Timestamp, request: &Incoming, tenant: &str) -> Reply {
    let result = check(request).and_then(|()| {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let graph = world.graph_url.clone();
        world.entra.token(now, tenant, &form, header(request, "authorization"), &graph, request.seed)
    });
    let mut reply = match result {
        Ok(body) => Reply::json(200, body),
        Err(refusal) => {
            if refusal.mistake {
                world.note(now, request, refusal.status, &format!("AADSTS{}", refusal.number), &refusal.text);
            }
            Reply::json(refusal.status, refusal.to_json(now, &request_id(request)))
        }
    };
    reply.headers.push(("cache-control", "no-store, no-cache".to_owned()));
    reply
}

fn check(request: &Incoming) -> Result<(), TokenRefusal> {
    if request.method != http::Method::POST {
        let text = "The endpoint only accepts POST requests.";
        return Err(TokenRefusal { status: 405, ..refuse("invalid_request", 900_561, text) });
    }
    if !request.query.is_empty() {
        return Err(refuse("invalid_request", 900_144, "The token endpoint takes no query parameters."));
    }
    let kind = header(request, "content-type").unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(refuse("invalid_request", 900_144, "The request body must be form-encoded."));
    }
    Ok(())
}
