// What a filter that adds results to records writes of the records themselves.

extension Record {
    /// Members of an object as they are written, the key in quotes.
    public typealias WrittenMember = (key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)

    private static let expectedKey = Array("expected".utf8)

    /// The members that stand beside the results: all but those with the results' names. A label is passed on as
    /// `expected`, unless the record has such a member already.
    ///
    /// - Parameters:
    ///   - members: the record's.
    ///   - labelKey: the key of the label, as UTF-8; nil where a label is a member like the others.
    ///   - ownKeys: the keys of results, as UTF-8.
    public func passedOn(
        _ members: [JSONScanner.Member], labelKey: [UInt8]?, without ownKeys: [[UInt8]]
    ) -> [WrittenMember] {
        let hasExpected = labelKey != Self.expectedKey && members.contains { isNamed($0, Self.expectedKey) }
        return members.compactMap { member in
            if let labelKey, isNamed(member, labelKey) {
                return hasExpected ? nil : (Array("\"expected\"".utf8)[...], line.bytes[member.value])
            }
            return ownKeys.contains { isNamed(member, $0) } ? nil : written(member)
        }
    }

    /// A member of this record as it is written.
    private func written(_ member: JSONScanner.Member) -> WrittenMember {
        (line.bytes[member.key.lowerBound - 1..<member.key.upperBound + 1], line.bytes[member.value])
    }

    /// The beginning of an object with these members of this record: a brace, and every member with a comma behind.
    public func beginningOfObject(_ members: [JSONScanner.Member]) -> [UInt8] {
        Self.beginningOfObject(members.map(written))
    }

    static func beginningOfObject(_ members: [WrittenMember]) -> [UInt8] {
        members.reduce(into: [UInt8(ascii: "{")]) { output, member in
            output += member.key
            output.append(UInt8(ascii: ":"))
            output += member.value
            output.append(UInt8(ascii: ","))
        }
    }
}
