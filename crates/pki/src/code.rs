//! The sixteen digits that an operator reads out and a person types.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// How many of the digits name the invitation. They are not secret.
pub const LOOKUP_DIGITS: usize = 6;

/// How many of the digits are the password: 33 bits, good for online guesses only (five tries burn an invitation).
pub const PASSWORD_DIGITS: usize = 10;

const DIGITS: usize = LOOKUP_DIGITS + PASSWORD_DIGITS;

/// An activation code. Kept as text, since leading zeros count. `Debug` shows nothing of it; `Display` shows all of it
/// and is meant for the one place where the operator is told.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivationCode(Zeroizing<String>);

/// A text that is not an activation code. Does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too few or too many digits.
    #[error("an activation code has 16 digits, this one has {digits}; type it as the operator shows it")]
    Length {
        /// How many there are.
        digits: usize,
    },
    /// Something other than digits, spaces and dashes.
    #[error(
        "an activation code consists of digits, spaces and dashes only; type it as the operator shows it"
    )]
    Characters,
}

impl CodeError {
    /// Stable name of the case, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "code-length",
            Self::Characters => "code-characters",
        }
    }

    /// Never: the same text stays wrong.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Length { .. } | Self::Characters => false,
        }
    }
}

impl ActivationCode {
    /// Makes a code of 128 random bits. The number of codes does not divide 2^128, which favours some by less than one
    /// part in 10^22: nothing that guessing could use.
    pub fn from_random(random: [u8; 16]) -> Self {
        let number = u128::from_be_bytes(random) % 10_u128.pow(16);
        Self(format!("{number:016}").into())
    }

    /// The six digits that name the invitation.
    pub fn lookup(&self) -> &str {
        self.0.get(..LOOKUP_DIGITS).unwrap_or_default()
    }

    /// The ten digits that nobody else may know.
    pub fn password(&self) -> &str {
        self.0.get(LOOKUP_DIGITS..).unwrap_or_default()
    }
}

impl FromStr for ActivationCode {
    type Err = CodeError;

    /// Reads what a person types or pastes: digits, with spaces and dashes anywhere.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut digits = Zeroizing::new(String::with_capacity(DIGITS));
        let mut count = 0_usize;
        for character in text.chars() {
            match character {
                '0'..='9' if count < DIGITS => {
                    digits.push(character);
                    count += 1;
                }
                '0'..='9' => count += 1,
                // Hyphen-minus and what word processors make of it.
                '-' | '\u{2010}'..='\u{2015}' => {}
                space if space.is_whitespace() => {}
                _ => return Err(CodeError::Characters),
            }
        }
        if count == DIGITS { Ok(Self(digits)) } else { Err(CodeError::Length { digits: count }) }
    }
}

impl fmt::Display for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, digit) in self.0.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                f.write_str(" ")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: Result<(&str, &str), CodeError>) {
        let code = text.parse::<ActivationCode>();
        let got = code.as_ref().map(|code| (code.lookup(), code.password())).map_err(|error| *error);
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn what_a_person_types_is_read() {
        check("1234 5678 9012 3456", Ok(("123456", "7890123456")));
        check("1234-5678-9012-3456", Ok(("123456", "7890123456")));
        check(" 1234567890123456\n", Ok(("123456", "7890123456")));
        check("1234\u{a0}5678 – 9012\u{2014}3456", Ok(("123456", "7890123456")));
        check("0000 0000 0000 0001", Ok(("000000", "0000000001")));
        check("", Err(CodeError::Length { digits: 0 }));
        check("1234 5678 9012 345", Err(CodeError::Length { digits: 15 }));
        check("1234 5678 9012 3456 7", Err(CodeError::Length { digits: 17 }));
        check("1234 5678 9012 345O", Err(CodeError::Characters));
        check("١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦", Err(CodeError::Characters));
    }

    #[test]
    fn a_code_is_shown_in_groups_and_never_by_debug() {
        let code = ActivationCode::from_random([0; 16]);
        assert_eq!(code.to_string(), "0000 0000 0000 0000");
        assert_eq!(format!("{code:?}"), "ActivationCode(..)");
        let mut seven = [0; 16];
        seven[15] = 7;
        assert_eq!(ActivationCode::from_random(seven).to_string(), "0000 0000 0000 0007");
    }

    /// Every digit is as frequent as every other at every place, within what chance allows.
    #[test]
    fn digits_are_evenly_spread() {
        use rand_chacha::rand_core::{RngCore, SeedableRng};
        const RUNS: u32 = 20_000;
        let mut source = rand_chacha::ChaCha20Rng::seed_from_u64(7);
        let mut counts = [[0_u32; 10]; DIGITS];
        for _ in 0..RUNS {
            let mut random = [0; 16];
            source.fill_bytes(&mut random);
            for (place, digit) in ActivationCode::from_random(random).0.bytes().enumerate() {
                counts[place][usize::from(digit - b'0')] += 1;
            }
        }
        for place in counts {
            for count in place {
                // Six standard deviations (42.4 each) around 2,000.
                assert!(count.abs_diff(RUNS / 10) < 255, "{count}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_code_survives_its_text_form(random: [u8; 16]) {
            let code = ActivationCode::from_random(random);
            prop_assert_eq!(code.to_string().parse(), Ok(code));
        }

        #[test]
        fn no_text_breaks_the_reader(text: String) {
            let _ = text.parse::<ActivationCode>();
        }
    }
}
