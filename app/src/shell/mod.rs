//! The frame of every page: document head, side navigation, header with search, band of the environment.

mod nav;
pub mod palette;

pub use nav::Section;

#[cfg(feature = "ssr")]
mod frame;
#[cfg(feature = "ssr")]
pub use frame::{Shell, ShellProps};
