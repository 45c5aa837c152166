//! Many mailboxes on one connector: the first reading, what each takes of memory, what reading them again costs.

use std::time::{Duration, Instant};

use joinery_tests::{MailboxLine, World, pass, wait_within};

use crate::calendars::{BODY, MEETINGS, fill};
use crate::process::{Memory, cpu_seconds};
use crate::table::Table;

/// Mailboxes whose first reading is timed.
const TIMED: usize = 100;

/// Mailboxes added afterwards, for what each takes of memory when everything is warm.
const MORE: usize = 200;

/// How often a mailbox is read: longer than adding all of them takes, so that first readings are alone.
const POLL: Duration = Duration::from_secs(20);

/// More than any of this should take.
const LIMIT: Duration = Duration::from_secs(180);

/// Measures the first reading, memory and later readings.
pub fn measure(table: &mut Table) {
    let poll = format!("poll_interval = \"{}s\"", POLL.as_secs());
    let world = World::plan().replace("poll_interval = \"1s\"", poll).start();
    let addresses: Vec<String> =
        (0..TIMED + MORE).map(|number| format!("person{number:03}@contoso.example")).collect();
    for address in &addresses {
        fill(&world.tenant, address);
    }
    let (timed, more) = addresses.split_at(TIMED);
    let connector = world.connector.id();
    table.section(
        "Mailboxes",
        &format!(
            "{MEETINGS} single events each, invitations of {BODY} KiB of HTML; the tenant runs on the same machine"
        ),
    );

    let empty = Memory::of(connector);
    let (begun, cpu, own) = (Instant::now(), cpu_seconds(connector), cpu_seconds(std::process::id()));
    add(&world, timed);
    read(&world, TIMED);
    let (elapsed, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds(connector) - cpu);
    let own = cpu_seconds(std::process::id()) - own;
    let events = (TIMED * MEETINGS) as f64;
    let on = format!("first reading of {TIMED} mailboxes, {events} events, {elapsed:.1} s");
    table.row("events synced", events / elapsed, "events/s", &on);
    table.row("connector: processor for 1,000 events", cpu / events * 1e3, "s", &on);
    table.row("simulated tenant: processor for 1,000 events", own / events * 1e3, "s", &on);

    let few = Memory::of(connector);
    add(&world, more);
    read(&world, TIMED + MORE);
    let many = Memory::of(connector);
    table.row("connector: resident memory, no mailbox", empty.rss_mib(), "MiB", "after its start");
    let on = format!("{TIMED} mailboxes just read");
    table.row("connector: resident memory", few.rss_mib(), "MiB", &on);
    let on = format!("{} mailboxes just read", TIMED + MORE);
    table.row("connector: resident memory", many.rss_mib(), "MiB", &on);
    let on = format!("growth from {TIMED} to {} mailboxes", TIMED + MORE);
    per_each(table, "connector: memory of a mailbox", many.since(few, MORE), &on);

    again(table, &world, connector);
    world.finish();
}

/// Two lines: by resident and, where the kernel tells, by proportional set.
pub fn per_each(table: &mut Table, name: &str, each: Memory, on: &str) {
    table.row(&format!("{name} (RSS)"), each.rss, "KiB", on);
    if let Some(pss) = each.pss {
        table.row(&format!("{name} (PSS)"), pss, "KiB", on);
    }
}

fn add(world: &World, addresses: &[String]) {
    let words: Vec<&str> =
        ["mailbox", "add"].into_iter().chain(addresses.iter().map(String::as_str)).collect();
    world.connector.call(&words).done();
}

/// Waits until so many mailboxes were read. While Graph is still being asked for some of them the connector is not
/// disturbed with questions.
fn read(world: &World, count: usize) {
    let asked = || world.tenant.requests().get("delta.first").copied().unwrap_or_default();
    wait_within(LIMIT, "Graph asked for every mailbox", || (asked() >= count as u64).then_some(()));
    wait_within(LIMIT, "every mailbox read", || {
        let lines: Vec<MailboxLine> = world.connector.call(&["mailbox", "list", "--json"]).json();
        let whole = lines.iter().filter(|line| line.state == "ok" && line.meetings == MEETINGS);
        (whole.count() == count).then_some(())
    });
}

/// What a round costs in which nothing changed.
fn again(table: &mut Table, world: &World, connector: u32) {
    let rounds = || world.tenant.requests().get("delta.since").copied().unwrap_or_default() as f64;
    let (before, cpu) = (rounds(), cpu_seconds(connector));
    pass(POLL);
    let (rounds, cpu) = (rounds() - before, cpu_seconds(connector) - cpu);
    let on = format!("{rounds} rounds without a change, in {} s", POLL.as_secs());
    table.row("connector: processor for 1,000 empty rounds", cpu / rounds * 1e3, "s", &on);
    let later = Memory::of(connector);
    table.row("connector: resident memory", later.rss_mib(), "MiB", "after one more round of each");
}
