use std::io::Cursor;

use super::*;

/// A file with one loaded segment at `address` and a dynamic table in it.
fn file(address: u64, data: &[u8], dynamic: Range<u64>) -> Vec<u8> {
    let mut file = vec![0; HEADER_BYTES + 2 * SEGMENT_BYTES];
    file[..6].copy_from_slice(&ELF_64_LITTLE_ENDIAN);
    file[32] = 64;
    file[56] = 2;
    let offset = file.len() as u64;
    let headers = [
        (PT_LOAD, offset, address, data.len() as u64),
        (PT_DYNAMIC, 0, dynamic.start, { dynamic.end - dynamic.start }),
    ];
    for (number, (kind, offset, address, len)) in headers.into_iter().enumerate() {
        let at = HEADER_BYTES + number * SEGMENT_BYTES;
        file[at..at + 4].copy_from_slice(&kind.to_le_bytes());
        for (field, value) in [(8, offset), (16, address), (32, len)] {
            file[at + field..at + field + 8].copy_from_slice(&value.to_le_bytes());
        }
    }
    file.extend_from_slice(data);
    file
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn read(file: Vec<u8>) -> Option<Image> {
    Image::read(&mut Cursor::new(file)).ok().flatten()
}

#[test]
fn data_is_found_by_address() {
    let image = read(file(0x1000, b"hello, data", 0..0)).unwrap();
    assert_eq!(image.get(0x1007, 4), Some(&b"data"[..]));
    assert_eq!(image.get(0x1007, 5), None);
    assert_eq!(image.from(0xfff), None);
    assert_eq!(image.from(0x100b), None);
    assert_eq!(image.from(u64::MAX), None);
}

#[test]
fn pointers_come_from_the_relocations() {
    let dynamic = words(&[DT_RELA, 0x1030, DT_RELA_BYTES, 48, 0, 0]);
    let table = words(&[0x2008, R_X86_64_RELATIVE, 0x1234, 0x2000, 6, 0x99]);
    let mut image = read(file(0x1000, &[dynamic, table].concat(), 0x1000..0x1030)).unwrap();
    assert_eq!(image.pointers(), [(0x2008, 0x1234)]);
    image.bias = 0x5_0000;
    assert_eq!(image.pointers(), [(0x5_2008, 0x5_1234)]);
}

#[test]
fn broken_files_have_no_image_or_less_data() {
    let good = file(0x1000, &words(&[DT_RELA, 0x1030, DT_RELA_BYTES, 48]), 0x1000..0x1020);
    for cut in 0..good.len() {
        if let Some(image) = read(good[..cut].to_vec()) {
            assert_eq!(image.pointers(), [], "cut at {cut}");
        }
    }
    for at in 0..good.len() {
        let mut broken = good.clone();
        broken[at] = 0xff;
        if let Some(image) = read(broken) {
            image.pointers();
            image.from(0x1000);
        }
    }
    assert!(read(vec![0; 100]).is_none());
}

#[test]
fn the_first_mapping_tells_where_the_file_was_loaded() {
    let maps = "55d0-55d1 r--p 00000000 08:01 7    /bin/other\n\
                7f00-7f01 r--p 00001000 08:01 7    /bin/this one\n";
    assert_eq!(first_mapping(maps, "/bin/this one"), Some((0x7f00, 0x1000)));
    assert_eq!(first_mapping(maps, "/bin/none"), None);
    assert_eq!(first_mapping("junk", "junk"), None);
}

#[test]
fn this_process_finds_its_own_constants() {
    static TEXT: &str = "a text that only this test has";
    let image = Image::of_this_process().unwrap();
    let address = TEXT.as_ptr().addr() as u64;
    assert_eq!(image.get(address, TEXT.len()), Some(TEXT.as_bytes()));
    static TABLE: [&str; 2] = ["first of the table", "second of the table"];
    let at = std::hint::black_box(&TABLE).as_ptr().addr() as u64;
    let pointers = image.pointers();
    let target = pointers.iter().find(|pointer| pointer.0 == at).map(|pointer| pointer.1);
    assert_eq!(target, Some(TABLE[0].as_ptr().addr() as u64));
}
