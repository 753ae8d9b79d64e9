//! The layer itself: the default VFS, with every call recorded. As with the default one for Unix, the first sync of a journal that was
//! opened to be created syncs the folder as well (`UNIXFILE_DIRSYNC` in SQLite's source).
#![allow(unsafe_code, reason = "a VFS is a struct of C functions")]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Once, OnceLock};

use rusqlite::ffi;

use crate::recorder::{Event, Log};

/// An open file: SQLite allocates it, with the default VFS's own file right behind it.
#[repr(C)]
struct Open {
    base: ffi::sqlite3_file,
    tap: *mut Tap,
}

/// What is known of an open file.
struct Tap {
    log: Arc<Log>,
    file: usize,
    /// Whether the next sync is of the folder as well.
    names: bool,
}

/// The default VFS. SQLite's stay for as long as the process.
struct Below(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite calls a VFS from any thread.
unsafe impl Send for Below {}
unsafe impl Sync for Below {}

static BELOW: OnceLock<Below> = OnceLock::new();

/// Makes the layer the process's default, once.
#[expect(clippy::expect_used, reason = "for tests alone")]
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the default VFS is valid for as long as the process; so is the leaked one, which is a copy but for a few fields.
        unsafe {
            let below = ffi::sqlite3_vfs_find(std::ptr::null());
            let size = size_of::<Open>() + usize::try_from((*below).szOsFile).expect("a size");
            let layer = Box::leak(Box::new(ffi::sqlite3_vfs {
                szOsFile: c_int::try_from(size).expect("a size"),
                pNext: std::ptr::null_mut(),
                zName: c"power-cut".as_ptr(),
                xOpen: Some(open),
                xDelete: Some(delete),
                ..*below
            }));
            assert!(BELOW.set(Below(below)).is_ok(), "registered once");
            assert_eq!(ffi::sqlite3_vfs_register(layer, 1), ffi::SQLITE_OK);
        }
    });
}

fn below() -> *mut ffi::sqlite3_vfs {
    BELOW.get().map_or(std::ptr::null_mut(), |below| below.0)
}

/// The default VFS's file behind one of ours.
///
/// SAFETY: `file` is one that [`open`] was given.
unsafe fn inner(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    unsafe { file.cast::<Open>().add(1).cast() }
}

/// SAFETY: as for [`inner`]; SQLite uses a file from one thread at a time.
unsafe fn tap<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a mut Tap> {
    unsafe { (*file.cast::<Open>()).tap.as_mut() }
}

/// SAFETY: `name` is null or ends with a zero.
unsafe fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    (!name.is_null()).then(|| Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    const JOURNALS: c_int =
        ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    // SAFETY: SQLite keeps to the interface: `file` has the size that was asked for, `name` is null or text.
    unsafe {
        let ours = file.cast::<Open>();
        (*ours).base.pMethods = std::ptr::null();
        (*ours).tap = std::ptr::null_mut();
        let known = path(name).filter(|_| flags & (JOURNALS | ffi::SQLITE_OPEN_MAIN_DB) != 0);
        let known = known.and_then(Log::of);
        let Some(call) = (*below()).xOpen else {
            return ffi::SQLITE_CANTOPEN;
        };
        let code = call(below(), name, inner(file), flags, out);
        if code != ffi::SQLITE_OK {
            return code;
        }
        if let Some((log, name)) = known {
            let file = log.open(&name);
            let names = flags & JOURNALS != 0 && flags & ffi::SQLITE_OPEN_CREATE != 0;
            (*ours).tap = Box::into_raw(Box::new(Tap { log, file, names }));
        }
        (*ours).base.pMethods = &raw const METHODS;
        code
    }
}

unsafe extern "C" fn delete(_vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: as above.
    unsafe {
        let Some(call) = (*below()).xDelete else {
            return ffi::SQLITE_IOERR_DELETE;
        };
        let code = call(below(), name, sync);
        if code == ffi::SQLITE_OK
            && let Some((log, name)) = path(name).and_then(Log::of)
        {
            log.delete(&name, sync & 1 != 0);
        }
        code
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: as above; the tap came out of a box in `open`, and a file is closed once.
    unsafe {
        let tap = std::mem::replace(&mut (*file.cast::<Open>()).tap, std::ptr::null_mut());
        if !tap.is_null() {
            drop(Box::from_raw(tap));
        }
        forward_close(file)
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: as above; `bytes` are as many as `length` says.
    unsafe {
        if let Some(tap) = tap(file) {
            let (length, offset) = (
                usize::try_from(length).unwrap_or(0),
                usize::try_from(offset).unwrap_or(0),
            );
            tap.log.note(Event::Write {
                file: tap.file,
                offset,
                bytes: std::slice::from_raw_parts(bytes.cast::<u8>(), length).into(),
            });
        }
        forward_write(file, bytes, length, offset)
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: as above.
    unsafe {
        if let Some(tap) = tap(file) {
            tap.log.note(Event::Resize {
                file: tap.file,
                length: usize::try_from(length).unwrap_or(0),
            });
        }
        forward_truncate(file, length)
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: as above.
    unsafe {
        if tap(file).is_some_and(|tap| tap.log.fails()) {
            return ffi::SQLITE_IOERR_FSYNC;
        }
        let code = forward_sync(file, flags);
        if code == ffi::SQLITE_OK
            && let Some(tap) = tap(file)
        {
            tap.log.note(Event::Sync { file: tap.file });
            if std::mem::take(&mut tap.names) {
                tap.log.note(Event::SyncNames);
            }
        }
        code
    }
}

/// Functions that do what the default VFS's of the same name does.
macro_rules! forward {
    ($($name:ident = $method:ident($($argument:ident: $kind:ty),*), or $missing:expr;)*) => {$(
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($argument: $kind),*) -> c_int {
            // SAFETY: as above; the file below was opened, or this would not be called.
            unsafe {
                match (*(*inner(file)).pMethods).$method {
                    Some(call) => call(inner(file), $($argument),*),
                    None => $missing,
                }
            }
        }
    )*};
}

forward! {
    forward_close = xClose(), or ffi::SQLITE_OK;
    forward_write = xWrite(bytes: *const c_void, length: c_int, offset: ffi::sqlite3_int64), or ffi::SQLITE_IOERR;
    forward_truncate = xTruncate(length: ffi::sqlite3_int64), or ffi::SQLITE_IOERR;
    forward_sync = xSync(flags: c_int), or ffi::SQLITE_IOERR;
    read = xRead(bytes: *mut c_void, length: c_int, offset: ffi::sqlite3_int64), or ffi::SQLITE_IOERR;
    size = xFileSize(out: *mut ffi::sqlite3_int64), or ffi::SQLITE_IOERR;
    lock = xLock(level: c_int), or ffi::SQLITE_IOERR;
    unlock = xUnlock(level: c_int), or ffi::SQLITE_IOERR;
    reserved = xCheckReservedLock(out: *mut c_int), or ffi::SQLITE_IOERR;
    control = xFileControl(operation: c_int, argument: *mut c_void), or ffi::SQLITE_NOTFOUND;
    sector_size = xSectorSize(), or 0;
    characteristics = xDeviceCharacteristics(), or 0;
    shm_map = xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void), or ffi::SQLITE_IOERR;
    shm_lock = xShmLock(offset: c_int, count: c_int, flags: c_int), or ffi::SQLITE_IOERR;
    shm_unmap = xShmUnmap(delete: c_int), or ffi::SQLITE_OK;
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as above.
    unsafe {
        if let Some(call) = (*(*inner(file)).pMethods).xShmBarrier {
            call(inner(file));
        }
    }
}

/// Version 2, without mapped reads and writes, which could not be seen.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
