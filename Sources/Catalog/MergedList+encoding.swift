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
        var names: [UInt8] = []
        for holder in lines[line].holders {
            guard let contribution = contributions[Int(holder.member)] else { continue }
            let entry = contribution.models.entries[Int(holder.position)]
            created = min(created, entry.firstSeen)
            guard contribution.isUsable else { continue }
            if let stated = entry.ownedBy {
                if let owner { ownersAgree = ownersAgree && ByteOrder.same(owner, stated) } else { owner = stated }
            }
            if let length = entry.contextLength { contextLength = min(contextLength ?? length, length) }
            if !names.isEmpty { names.append(UInt8(ascii: ",")) }
            names.append(contentsOf: contribution.encodedName)
        }
        guard !names.isEmpty else { return ([], created) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(names.count + 160)
        JSONText.append(raw: #"{"id":"#, to: &bytes)
        JSONText.append(lines[line].id.value, to: &bytes)
        JSONText.append(raw: #","object":"model","created":"#, to: &bytes)
        JSONText.append(created, to: &bytes)
        JSONText.append(raw: #","owned_by":"#, to: &bytes)
        JSONText.append((ownersAgree ? owner : nil) ?? "rollcall", to: &bytes)
        if let contextLength {
            JSONText.append(raw: #","context_length":"#, to: &bytes)
            JSONText.append(Int64(contextLength), to: &bytes)
        }
        JSONText.append(raw: #","endpoints":["#, to: &bytes)
        bytes.append(contentsOf: names)
        JSONText.append(raw: "]", to: &bytes)
        if let registration = registered.registration(of: lines[line].id) {
            JSONText.append(raw: #","registration":"#, to: &bytes)
            JSONText.append(registration, to: &bytes)
        }
        JSONText.append(raw: "}", to: &bytes)
        return (bytes, created)
    }
}
