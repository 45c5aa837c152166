//! The two devices, and one value for each of them.

/// A device of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The screen in the meeting room.
    Room,
    /// The screen of a person.
    Desktop,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Room, Self::Desktop];

    /// What it is called in lines and files; also the kind of device that the connector knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Desktop => "desktop",
        }
    }
}

/// One value for each device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Each<T> {
    /// The room's.
    pub room: T,
    /// The desktop's.
    pub desktop: T,
}

impl<T> Each<T> {
    /// The same for both.
    pub fn both(value: T) -> Self
    where
        T: Clone,
    {
        Self { room: value.clone(), desktop: value }
    }

    /// One device's.
    pub const fn of(&self, side: Side) -> &T {
        match side {
            Side::Room => &self.room,
            Side::Desktop => &self.desktop,
        }
    }

    /// One device's, to change.
    pub const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Room => &mut self.room,
            Side::Desktop => &mut self.desktop,
        }
    }

    /// Both, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (Side, &T)> {
        Side::ALL.into_iter().map(|side| (side, self.of(side)))
    }

    /// Another value for each.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Each<U> {
        Each { room: change(self.room), desktop: change(self.desktop) }
    }

    /// Another value for each, if there is one for both.
    pub fn try_map<U, E>(self, change: impl Fn(T) -> Result<U, E>) -> Result<Each<U>, E> {
        Ok(Each { room: change(self.room)?, desktop: change(self.desktop)? })
    }
}
