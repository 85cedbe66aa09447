//! Blocks in bounded room.

use super::block::{Block, Section};

/// Blocks one after the other, and what had no room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Laid {
    /// The text.
    pub(super) text: String,
    /// Blocks that are not there.
    pub(super) blocks_left_out: usize,
    /// Blocks that are there without their details.
    pub(super) details_left_out: usize,
}

impl Laid {
    /// Whether nothing is left out.
    pub(super) fn is_whole(&self) -> bool {
        self.blocks_left_out == 0 && self.details_left_out == 0
    }
}

/// Lays out as many blocks as fit into `room` bytes, from the first on, and then of those as many details as still
/// fit: what happens is named before anything is told at length.
pub(super) fn lay_out(blocks: &[Block], room: usize) -> Laid {
    let mut left = room;
    let mut section = None;
    let mut fitting = 0;
    for block in blocks {
        let needed = title_before(section, block).len() + block.short().len();
        if needed > left {
            break;
        }
        left -= needed;
        section = Some(block.section);
        fitting += 1;
    }
    let mut text = String::new();
    let mut section = None;
    let mut details_left_out = 0;
    for block in &blocks[..fitting] {
        text.push_str(title_before(section, block));
        section = Some(block.section);
        let short = block.short();
        match block.long() {
            None => text.push_str(&short),
            Some(long) if long.len().saturating_sub(short.len()) <= left => {
                left -= long.len().saturating_sub(short.len());
                text.push_str(&long);
            }
            Some(_) => {
                details_left_out += 1;
                text.push_str(&short);
            }
        }
    }
    Laid { text, blocks_left_out: blocks.len() - fitting, details_left_out }
}

/// The title of a section, before its first block.
fn title_before(section: Option<Section>, block: &Block) -> &'static str {
    if section == Some(block.section) { "" } else { block.section.title() }
}
