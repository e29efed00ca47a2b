import JSON

extension MergedList {
    /// The fields in the order in which clients see them; see the HTTP contract, `GET /v1/models`.
    ///
    /// - Returns: no bytes if no online or degraded endpoint lists the model; and when it was first seen, in seconds
    ///   since 1970
    func encode(_ line: Int) -> (bytes: [UInt8], created: Int64) {
        var created = Int64.max
        var owner: String?
        var ownersAgree = true
        var contextLength: Int?
        var contextLengthMax: Int?
        var capabilities: ModelCapabilities = []
        var names: [UInt8] = []
        for holder in lines[line].holders {
            guard let contribution = contributions[Int(holder.member)] else { continue }
            let entry = contribution.models.models[Int(holder.position)].entry
            created = min(created, contribution.models.firstSeen(at: Int(holder.position)))
            guard contribution.isUsable else { continue }
            if let stated = entry.ownedBy {
                if let owner { ownersAgree = ownersAgree && ByteOrder.same(owner, stated) } else { owner = stated }
            }
            if let length = entry.contextLength { contextLength = min(contextLength ?? length, length) }
            if let length = entry.contextLengthMax ?? entry.contextLength {
                contextLengthMax = max(contextLengthMax ?? length, length)
            }
            capabilities.formUnion(entry.capabilities ?? [])
            if !names.isEmpty { names.append(UInt8(ascii: ",")) }
            names.append(contentsOf: contribution.encodedName)
        }
        guard !names.isEmpty else { return ([], created) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(names.count + 160)
        bytes += #"{"id":"#.utf8
        JSONString.append(lines[line].id.value, to: &bytes)
        bytes += #","object":"model","created":"#.utf8
        bytes += String(created).utf8
        bytes += #","owned_by":"#.utf8
        JSONString.append((ownersAgree ? owner : nil) ?? "rollcall", to: &bytes)
        if let contextLength {
            bytes += #","context_length":"#.utf8
            bytes += String(contextLength).utf8
        }
        bytes += #","endpoints":["#.utf8
        bytes.append(contentsOf: names)
        bytes += "]".utf8
        if let registration = registered.registration(of: lines[line].id) {
            bytes += #","registration":"#.utf8
            JSONString.append(registration, to: &bytes)
        }
        if let contextLengthMax {
            bytes += #","context_length_max":"#.utf8
            bytes += String(contextLengthMax).utf8
        }
        if !capabilities.isEmpty {
            bytes += #","capabilities":["#.utf8
            bytes += capabilities.names.map { "\"\($0)\"" }.joined(separator: ",").utf8
            bytes += "]".utf8
        }
        bytes += "}".utf8
        return (bytes, created)
    }
}
