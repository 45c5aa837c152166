//! On which days a series takes place: Graph's `patternedRecurrence`.
//!
//! Dates are those of the series' own zone; the hour stays the same on the wall when clocks change.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use crate::zones::Zone;

/// Pattern and range of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrence {
    /// The rhythm.
    pub pattern: Pattern,
    /// Every how many days, weeks, months or years; at least 1.
    pub interval: u32,
    /// First day that can be one of the series.
    pub start: Date,
    /// When it ends.
    pub until: Until,
    /// `recurrenceTimeZone`, as it is given back.
    pub zone: Zone,
}

/// The rhythm of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Every so many days.
    Daily,
    /// On these days, every so many weeks.
    Weekly {
        /// Which days.
        days: Vec<Weekday>,
        /// On which day a week begins.
        first: Weekday,
    },
    /// On this day of the month; the last one if the month is shorter.
    AbsoluteMonthly {
        /// 1 to 31.
        day: i8,
    },
    /// On the first, second … last of these days in the month.
    RelativeMonthly {
        /// Which days.
        days: Vec<Weekday>,
        /// Which of them.
        index: Index,
    },
    /// On this day of this month.
    AbsoluteYearly {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
    /// On the first, second … last of these days in this month.
    RelativeYearly {
        /// 1 to 12.
        month: i8,
        /// Which days.
        days: Vec<Weekday>,
        /// Which of them.
        index: Index,
    },
}

/// Which of the days in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// The first.
    First,
    /// The second.
    Second,
    /// The third.
    Third,
    /// The fourth.
    Fourth,
    /// The last.
    Last,
}

/// When a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// With this day.
    Date(Date),
    /// After so many occurrences.
    Count(u32),
    /// Not.
    Never,
}

impl Recurrence {
    /// Every day of the series from its first on, at or after `from`. Endless if the series is: take what you need.
    pub fn dates(&self, from: Date) -> impl Iterator<Item = Date> + '_ {
        let first_period = match self.until {
            Until::Count(_) => 0,
            Until::Date(_) | Until::Never => self.period_before(from),
        };
        let limit = match self.until {
            Until::Count(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Until::Date(_) | Until::Never => usize::MAX,
        };
        let last = match self.until {
            Until::Date(last) => last,
            Until::Count(_) | Until::Never => jiff::civil::date(4500, 12, 31),
        };
        (first_period..)
            .map_while(|period| self.period(period))
            .flatten()
            .skip_while(|date| *date < self.start)
            .take_while(move |date| *date <= last)
            .take(limit)
            .skip_while(move |date| *date < from)
    }

    /// The first day of all; nothing if the range ends before it.
    pub fn first(&self) -> Option<Date> {
        self.dates(self.start).next()
    }

    /// The same rhythm from `date` on. A series on one day of the week, month or year takes place on the new one.
    #[must_use]
    pub fn moved_to(&self, date: Date) -> Self {
        let pattern = match &self.pattern {
            Pattern::Weekly { days, first } if days.len() == 1 => {
                Pattern::Weekly { days: vec![date.weekday()], first: *first }
            }
            Pattern::AbsoluteMonthly { .. } => Pattern::AbsoluteMonthly { day: date.day() },
            Pattern::AbsoluteYearly { .. } => {
                Pattern::AbsoluteYearly { month: date.month(), day: date.day() }
            }
            Pattern::Daily
            | Pattern::Weekly { .. }
            | Pattern::RelativeMonthly { .. }
            | Pattern::RelativeYearly { .. } => self.pattern.clone(),
        };
        Self { pattern, start: date, ..self.clone() }
    }

    /// The candidates of the `number`th day, week, month or year of the rhythm, in order. Nothing after the last year
    /// of the calendar.
    fn period(&self, number: i64) -> Option<Vec<Date>> {
        let step = number.checked_mul(i64::from(self.interval))?;
        let month =
            |first: Date, months: i64| first.checked_add(jiff::Span::new().try_months(months).ok()?).ok();
        let candidates = match &self.pattern {
            Pattern::Daily => vec![self.start.checked_add(jiff::Span::new().try_days(step).ok()?).ok()?],
            Pattern::Weekly { days, first } => {
                let begin = week_start(self.start, *first)?;
                let begin = begin.checked_add(jiff::Span::new().try_weeks(step).ok()?).ok()?;
                (0..7)
                    .filter_map(|day| begin.checked_add(day.days()).ok())
                    .filter(|d| days.contains(&d.weekday()))
                    .collect()
            }
            Pattern::AbsoluteMonthly { day } => {
                vec![day_of(month(self.start.first_of_month(), step)?, *day)?]
            }
            Pattern::RelativeMonthly { days, index } => {
                relative(month(self.start.first_of_month(), step)?, days, *index).into_iter().collect()
            }
            Pattern::AbsoluteYearly { month: of_year, day } => {
                vec![day_of(month(self.january(*of_year)?, step.checked_mul(12)?)?, *day)?]
            }
            Pattern::RelativeYearly { month: of_year, days, index } => {
                relative(month(self.january(*of_year)?, step.checked_mul(12)?)?, days, *index)
                    .into_iter()
                    .collect()
            }
        };
        Some(candidates)
    }

    /// The first of `month` in the year of the start.
    fn january(&self, month: i8) -> Option<Date> {
        Date::new(self.start.year(), month, 1).ok()
    }

    /// A period that certainly lies before `date`, so that a series of many years need not be walked from its start.
    fn period_before(&self, date: Date) -> i64 {
        let days = self.start.until(date).map_or(0, |span| i64::from(span.get_days()));
        let longest = match self.pattern {
            Pattern::Daily => 1,
            Pattern::Weekly { .. } => 7,
            Pattern::AbsoluteMonthly { .. } | Pattern::RelativeMonthly { .. } => 31,
            Pattern::AbsoluteYearly { .. } | Pattern::RelativeYearly { .. } => 366,
        };
        (days / (longest * i64::from(self.interval)) - 1).max(0)
    }
}

fn week_start(date: Date, first: Weekday) -> Option<Date> {
    let back = i64::from(date.weekday().since(first));
    date.checked_sub(back.days()).ok()
}

/// `day` of the month that begins with `first`; the month's last day if it is shorter, as Outlook does.
fn day_of(first: Date, day: i8) -> Option<Date> {
    Date::new(first.year(), first.month(), day.min(first.days_in_month())).ok()
}

/// The index-th day of the month that is one of `days`.
fn relative(first: Date, days: &[Weekday], index: Index) -> Option<Date> {
    let mut fitting = (1..=first.days_in_month())
        .filter_map(|day| Date::new(first.year(), first.month(), day).ok())
        .filter(|date| days.contains(&date.weekday()));
    match index {
        Index::First => fitting.next(),
        Index::Second => fitting.nth(1),
        Index::Third => fitting.nth(2),
        Index::Fourth => fitting.nth(3),
        Index::Last => fitting.next_back(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Until = Until::Never;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn check(pattern: Pattern, interval: u32, start: &str, until: Until, from: &str, want: &[&str]) {
        let series = Recurrence { pattern, interval, start: day(start), until, zone: Zone::utc() };
        let got: Vec<String> = series.dates(day(from)).take(4).map(|date| date.to_string()).collect();
        assert_eq!(got, want, "{:?}", series.pattern);
    }

    #[test]
    fn every_rhythm_gives_its_days() {
        use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday};
        let weekly = |days: &[Weekday], first| Pattern::Weekly { days: days.to_vec(), first };
        check(
            Pattern::Daily,
            3,
            "2026-11-24",
            ALL,
            "2026-11-25",
            &["2026-11-27", "2026-11-30", "2026-12-03", "2026-12-06"],
        );
        check(
            Pattern::Daily,
            1,
            "2017-01-01",
            Until::Date(day("2026-11-25")),
            "2026-11-24",
            &["2026-11-24", "2026-11-25"],
        );
        check(Pattern::Daily, 1, "2026-11-20", Until::Count(5), "2026-11-23", &["2026-11-23", "2026-11-24"]);
        check(
            weekly(&[Monday, Thursday], Sunday),
            1,
            "2026-11-24",
            Until::Count(3),
            "2026-11-01",
            &["2026-11-26", "2026-11-30", "2026-12-03"],
        );
        check(
            weekly(&[Tuesday, Sunday], Sunday),
            2,
            "1997-08-05",
            ALL,
            "1997-08-05",
            &["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"],
        );
        check(
            weekly(&[Tuesday, Sunday], Monday),
            2,
            "1997-08-05",
            ALL,
            "1997-08-05",
            &["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
        );
        check(
            Pattern::AbsoluteMonthly { day: 31 },
            1,
            "2026-01-31",
            ALL,
            "2026-02-01",
            &["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"],
        );
        check(
            Pattern::AbsoluteMonthly { day: 7 },
            3,
            "2026-01-08",
            ALL,
            "2026-01-01",
            &["2026-04-07", "2026-07-07", "2026-10-07", "2027-01-07"],
        );
        check(
            Pattern::RelativeMonthly { days: vec![Friday], index: Index::Last },
            1,
            "2026-11-01",
            ALL,
            "2026-11-01",
            &["2026-11-27", "2026-12-25", "2027-01-29", "2027-02-26"],
        );
        check(
            Pattern::RelativeMonthly { days: vec![Saturday, Sunday], index: Index::Second },
            2,
            "2026-11-01",
            Until::Count(2),
            "2026-11-01",
            &["2026-11-07", "2027-01-03"],
        );
        check(
            Pattern::AbsoluteYearly { month: 2, day: 29 },
            1,
            "2024-02-29",
            Until::Count(3),
            "2024-01-01",
            &["2024-02-29", "2025-02-28", "2026-02-28"],
        );
        check(
            Pattern::RelativeYearly { month: 11, days: vec![Thursday], index: Index::Fourth },
            1,
            "2020-11-01",
            Until::Date(day("2027-12-31")),
            "2026-01-01",
            &["2026-11-26", "2027-11-25"],
        );
    }

    #[test]
    fn a_range_that_ends_before_it_starts_has_no_day() {
        let series = Recurrence {
            pattern: Pattern::Daily,
            interval: 1,
            start: day("2026-11-24"),
            until: Until::Date(day("2026-11-23")),
            zone: Zone::utc(),
        };
        assert_eq!(series.first(), None);
    }
}
