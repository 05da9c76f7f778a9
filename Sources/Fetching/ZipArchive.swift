// One entry of a zip archive, read to its end so that its CRC is checked. Nothing is ever written under a name that
// comes from an archive; names and kinds of entries are checked all the same, because an archive that tries such
// things isn't one to take data from.
//
// libzip does the format (with ZIP_CHECKCONS: local and central headers have to agree). The one file that imports it.

import CLibzip
import Platform
import Records

/// A zip archive that is open for reading.
public final class ZipArchive {
    /// A file in the archive.
    public struct Entry: Sendable, Equatable {
        /// The path within the archive, checked: it leads nowhere else.
        public let name: String
        /// Uncompressed, as declared.
        public let size: Int
        let index: UInt64
    }

    /// More entries than this aren't looked at.
    public static let maximumEntries = 100_000

    /// The files, without directories.
    public let entries: [Entry]
    private let name: String
    private let handle: OpaquePointer

    /// Opens the archive at `path` and checks its directory. `name` is what errors call it.
    public convenience init(path: String, name: String) throws(FetchError) {
        try self.init(InputFile.open(path: path, maximum: .max), name: name)
    }

    /// Checks the archive's directory. `name` is what errors call it.
    init(_ file: InputFile, name: String) throws(FetchError) {
        self.name = name
        var code: Int32 = 0
        // A descriptor that libzip reads from where it likes, and closes with the archive.
        let descriptor = dup(file.descriptor)
        lseek(descriptor, 0, SEEK_SET)
        guard let handle = zip_fdopen(descriptor, ZIP_RDONLY | ZIP_CHECKCONS, &code) else {
            close(descriptor)
            var error = zip_error_t()
            zip_error_init_with_code(&error, code)
            defer { zip_error_fini(&error) }
            throw .stream(
                .damaged(
                    source: name, problem: "not a sound zip archive (\(String(cString: zip_error_strerror(&error))))"))
        }
        self.handle = handle
        do {
            entries = try Self.checkedEntries(of: handle, in: file, name: name)
        } catch {
            zip_discard(handle)
            throw .stream(error)
        }
    }

    deinit {
        zip_discard(handle)
    }

    /// The entry called `wanted`, or the only one.
    public func entry(named wanted: String?) throws(FetchError) -> Entry {
        if let wanted {
            if let entry = entries.first(where: { $0.name.utf8.elementsEqual(wanted.utf8) }) { return entry }
        } else if entries.count == 1 {
            return entries[0]
        }
        throw .noSuchEntry(source: name, name: wanted, available: entries.map(\.name))
    }

    /// The bytes of `entry` from its start. Reading on to the end checks the CRC and the length.
    public func open(_ entry: Entry, maximumBytes: Int) throws(FetchError) -> ByteSource {
        if entry.size > maximumBytes { throw .tooLarge(source: name, maximum: maximumBytes) }
        guard let file = zip_fopen_index(handle, entry.index, 0) else {
            throw .stream(
                .damaged(source: name, problem: "entry can't be read (\(String(cString: zip_strerror(handle))))"))
        }
        let reader = EntryReader(file: file, archive: self, entry: entry)
        return ByteSource(name: entry.name) { buffer throws(StreamError) in try reader.read(into: buffer) }
    }

    private final class EntryReader {
        private let file: OpaquePointer
        private let archive: ZipArchive
        private let entry: Entry
        private var total = 0

        init(file: OpaquePointer, archive: ZipArchive, entry: Entry) {
            self.file = file
            self.archive = archive
            self.entry = entry
        }

        deinit {
            zip_fclose(file)
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
            guard let start = buffer.baseAddress else { return 0 }
            let count = Int(zip_fread(file, start, UInt64(buffer.count)))
            guard count >= 0 else {
                throw .damaged(
                    source: archive.name,
                    problem: "entry \"\(entry.name)\" is damaged (\(String(cString: zip_file_strerror(file))))")
            }
            total += count
            if total > entry.size || count == 0 && total != entry.size {
                throw .damaged(
                    source: archive.name, problem: "entry \"\(entry.name)\" isn't as long as the archive says")
            }
            return count
        }
    }

    private static func checkedEntries(
        of handle: OpaquePointer, in file: InputFile, name: String
    ) throws(StreamError) -> [Entry] {
        func refuse(_ problem: String) -> StreamError { .damaged(source: name, problem: problem) }
        let count = Int(zip_get_num_entries(handle, 0))
        if count > maximumEntries { throw refuse("more than \(maximumEntries) entries") }
        var entries: [Entry] = []
        var seen = Set<String>()
        for index in 0..<UInt64(max(0, count)) {
            var status = zip_stat_t()
            guard zip_stat_index(handle, index, 0, &status) == 0, let cName = status.name,
                let entryName = String(validatingCString: cName)
            else { throw refuse("an entry without a readable name") }
            // The name as it is stored: libzip shows control characters as CP437's pictures.
            let hasControls = zip_get_name(handle, index, UInt32(ZIP_FL_ENC_RAW)).map { raw in
                UnsafeBufferPointer(start: raw, count: strlen(raw)).contains { (1..<0x20).contains($0) || $0 == 0x7F }
            }
            if hasControls ?? true { throw refuse("an entry's name has control characters: \"\(entryName)\"") }
            if let problem = problem(ofName: entryName) { throw refuse("\(problem): \"\(entryName)\"") }
            if !seen.insert(entryName.lowercased()).inserted {
                throw refuse("two entries with the same name, case aside: \"\(entryName)\"")
            }
            var system: UInt8 = 0
            var attributes: UInt32 = 0
            zip_file_get_external_attributes(handle, index, 0, &system, &attributes)
            let fileType = attributes >> 16 & 0o170000
            if system == UInt8(ZIP_OPSYS_UNIX), fileType != 0, fileType != 0o100000, fileType != 0o040000 {
                throw refuse("a link or device: \"\(entryName)\"")
            }
            if entryName.hasSuffix("/") { continue }
            if status.encryption_method != 0 { throw refuse("an encrypted entry: \"\(entryName)\"") }
            guard let size = Int(exactly: status.size) else { throw refuse("an impossible size: \"\(entryName)\"") }
            entries.append(Entry(name: entryName, size: size, index: index))
        }
        if seen.contains(where: { $0.utf8.contains(0x20) }), !storedNamesAreFreeOfNULs(file) {
            throw refuse("an entry's name has control characters")
        }
        return entries
    }

    private static func problem(ofName name: String) -> String? {
        if name.isEmpty { return "an entry without a name" }
        if name.utf8.count > 255 { return "an entry's name is too long" }
        let parts = name.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }
        let hasDrive = name.utf8.dropFirst().first == UInt8(ascii: ":")
        if parts.contains("..") || parts.first == "" || hasDrive { return "an entry's name leads out of the archive" }
        return nil
    }
}
