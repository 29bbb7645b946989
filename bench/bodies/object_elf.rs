//! Executables: sections, symbols and relocations of an ELF file.
use object::read::{Object, ObjectSection, ObjectSymbol};

const ITEMS_MAX: usize = 64;

pub fn run(data: &[u8]) {
    let Ok(file) = object::read::elf::ElfFile64::<object::Endianness>::parse(data) else { return };
    std::hint::black_box((file.architecture(), file.kind(), file.entry()));
    for section in file.sections().take(ITEMS_MAX) {
        std::hint::black_box((section.name().is_ok(), section.kind(), section.data().is_ok()));
        std::hint::black_box(section.relocations().take(ITEMS_MAX).count());
    }
    for symbol in file.symbols().chain(file.dynamic_symbols()).take(ITEMS_MAX) {
        std::hint::black_box((symbol.name().is_ok(), symbol.kind(), symbol.scope()));
    }
    let _ = std::hint::black_box((file.imports(), file.exports(), file.build_id()));
}
