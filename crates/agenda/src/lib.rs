//! One device's meeting list, and when its Join button is on
