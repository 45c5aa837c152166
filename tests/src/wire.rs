//! A wire between an agent and the connector that can be cut: a TCP relay on 127.0.0.1.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The wire. What the client says goes through; of what the server says, only so many bytes.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    room: Arc<AtomicU64>,
    carried: Arc<AtomicU64>,
}

impl Wire {
    /// A wire to `port` of 127.0.0.1 that carries everything.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("no port for the wire");
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            room: Arc::new(AtomicU64::new(u64::MAX)),
            carried: Arc::default(),
        };
        let (room, carried) = (Arc::clone(&wire.room), Arc::clone(&wire.carried));
        // Ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else {
                    continue;
                };
                let (room, carried) = (Arc::clone(&room), Arc::clone(&carried));
                thread::spawn(move || relay(from_client, to_server, u64::MAX, &AtomicU64::new(0)));
                thread::spawn(move || {
                    carried.store(0, Ordering::SeqCst);
                    relay(server, client, room.load(Ordering::SeqCst), &carried);
                });
            }
        });
        wire
    }

    /// Where it begins.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Bytes that the server said on the newest connection.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::SeqCst)
    }

    /// Cuts connections from now on when the server has said so many bytes.
    pub fn cut_after(&self, bytes: u64) {
        self.room.store(bytes, Ordering::SeqCst);
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream, room: u64, carried: &AtomicU64) {
    let mut buffer = [0; 16 * 1024];
    let mut left = room;
    while left > 0 {
        let Ok(length @ 1..) = from.read(&mut buffer) else { break };
        let part = length.min(usize::try_from(left).unwrap_or(usize::MAX));
        if to.write_all(&buffer[..part]).is_err() {
            break;
        }
        left -= u64::try_from(part).unwrap_or(u64::MAX);
        carried.fetch_add(u64::try_from(part).unwrap_or_default(), Ordering::SeqCst);
    }
    let _closed = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
