//! toji
fn main() {}
