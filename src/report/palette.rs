//! Okabe and Ito's colours, which most colour-blind readers can tell apart.

use maud::{Markup, html};
use plotters::style::{Color, HSLColor, RGBColor};

/// Of arms; the page's style has a lighter one for each on a dark ground.
pub(super) const ARMS: [RGBColor; 5] = [VERMILLION, BLUE, GREEN, PINK, ORANGE];
/// Of the layers of an area, the last of which is what remains.
pub(super) const LAYERS: [RGBColor; 8] = [BLUE, ORANGE, GREEN, VERMILLION, SKY, PINK, YELLOW, GREY];

/// Grid lines, axes and marks, which the page's style gives other colours on a dark ground.
pub(super) const GRID: RGBColor = RGBColor(0xe3, 0xe3, 0xe3);
pub(super) const AXIS: RGBColor = RGBColor(0x9a, 0x9a, 0x9a);
pub(super) const ALARM: RGBColor = RGBColor(0xb0, 0x00, 0x20);

const VERMILLION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
const PINK: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
const ORANGE: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
const SKY: RGBColor = RGBColor(0x56, 0xb4, 0xe9);
const YELLOW: RGBColor = RGBColor(0xf0, 0xe4, 0x42);
const GREY: RGBColor = RGBColor(0x99, 0x99, 0x99);

/// An arm's colour; beyond those that were chosen hues follow each other by the golden angle, so that none comes twice.
pub(super) fn arm(index: usize) -> RGBColor {
    ARMS.get(index).copied().unwrap_or_else(|| {
        let hue = (index as f64 * 0.618_034).fract();
        let (red, green, blue) = HSLColor(hue, 0.5, 0.5).to_backend_color().rgb;
        RGBColor(red, green, blue)
    })
}

/// A patch of a colour, for legends.
pub(super) fn patch(RGBColor(red, green, blue): RGBColor) -> Markup {
    html! {
        svg.patch viewBox="0 0 10 10" aria-hidden="true" {
            rect width="10" height="10" rx="2" fill=(format!("#{red:02X}{green:02X}{blue:02X}")) {}
        }
    }
}
