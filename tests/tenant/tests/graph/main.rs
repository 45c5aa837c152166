//! The simulated tenant as a client sees it, over HTTPS.

#[cfg(test)]
mod client;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rounds;
#[cfg(test)]
mod strictness;
