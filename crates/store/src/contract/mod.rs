//! What every store must do, as checks that each store's tests run: `row_store_contract!(Memory::default());`.

pub mod checks;
mod samples;

use crate::Store;

/// Runs the contract, one test per check. The expression opens a new, empty store for each; it may give the store
/// itself or something that dereferences to it (and cleans up after it). Needs `tokio` in the tests.
#[macro_export]
macro_rules! row_store_contract {
    ($open:expr) => {
        $crate::row_store_contract!(@tests $open =>
            a_new_store_is_empty_and_has_an_id
            a_commit_moves_the_mailbox_one_revision
            a_commit_computed_elsewhere_is_a_conflict
            a_commit_with_nothing_new_only_keeps_the_state
            a_failed_commit_changes_nothing
            a_row_changed_five_times_comes_once
            a_removed_row_is_told_until_it_is_forgotten
            a_row_that_came_back_is_no_removal
            a_row_both_written_and_removed_stays
            removing_what_is_not_there_is_no_change
            an_unknown_revision_gets_a_snapshot
            rows_are_due_after_their_last_day
            mailboxes_do_not_touch_each_other
            a_removed_mailbox_is_unknown_again
            records_are_replaced_found_and_erased
            an_index_is_unique_within_its_kind
            records_change_together_or_not_at_all
            a_key_is_never_overwritten
            a_device_that_follows_holds_the_list
            of_two_commits_at_once_one_wins
        );
    };
    (@tests $open:expr => $($check:ident)+) => {
        $(
            #[tokio::test]
            async fn $check() {
                use $crate::AsStore as _;
                let opened = $open;
                $crate::checks::$check(opened.as_store()).await.expect(stringify!($check));
            }
        )+
    };
}

/// Lets the macro take a store or anything that dereferences to one.
pub trait AsStore {
    /// The store.
    fn as_store(&self) -> &dyn Store;
}

impl<S: Store> AsStore for S {
    fn as_store(&self) -> &dyn Store {
        self
    }
}
