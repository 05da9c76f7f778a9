// Whether a training run can fit into this machine at all. Systems promise more memory than they have and end
// the program when it is used; better to say so before anything is read.

import Platform
import Records

extension FineTuner {
    /// Refuses settings that don't go with the base, and what can't fit: the parameters, and for those that are trained
    /// their copies, gradients and AdamW's two moments, and the best of them where they are kept. Activations and texts
    /// come on top, so passing is no promise.
    ///
    /// - Throws: ``ModelError/impossibleSetting(_:remedy:)``, ``OutOfMemory``, and what reading the base's config.json
    ///   throws.
    public func requirePossible(for base: Classifier.Base) throws {
        let config: GPT2Config
        var isMapped = false
        switch base {
        case .directory(let directory):
            guard Directory.entryNames(of: directory) != nil else { throw ModelError.noBase(directory) }
            config = try GPT2Config(path: directory + "/config.json")
            isMapped = true
        case .randomNamed(let name):
            guard let known = try GPT2Config.named(name) else { throw ModelError.unknownModel(name) }
            config = known
        case .randomConfig(let path):
            config = try GPT2Config(path: path)
        }
        try settings.check(config)
        let all = config.parameterCount
        let trained: Double
        switch settings.trainable {
        case .head: trained = 0
        case .lastBlocks(let count): trained = Double(min(count, config.blocks)) * config.parametersPerBlock
        case .all: trained = all
        case .lora(let lora): trained = lora.parameterCount(config)
        }
        let copies = settings.keep == .best ? 5.0 : 4.0
        let need = 4 * ((isMapped ? 0 : all) + copies * trained + settings.trainable.mergedCount(config))
        if need > Double(MemoryBudget().limit) { throw OutOfMemory(bytes: Int(min(need, 1e18))) }
    }
}

/// Bytes that this process may have, and those of them that it hasn't taken yet.
struct MemoryBudget {
    let limit: Int
    let left: Int

    /// As it is now: of the machine, of the control group, and of `ulimit -v`, whatever leaves least.
    init() {
        let (pages, pageSize) = (sysconf(Int32(_SC_PHYS_PAGES)), Int(sysconf(Int32(_SC_PAGESIZE))))
        var limit = pages > 0 && pageSize > 0 ? pages * pageSize : Int.max
        if let group = try? ByteSource(path: "/sys/fs/cgroup/memory.max").readAll(maximum: 100),
            let bytes = Int(String(decoding: group, as: UTF8.self).filter(\.isNumber))
        {
            limit = min(limit, bytes)
        }
        // Pages of address space, and those that are in memory.
        let text = (try? ByteSource(path: "/proc/self/statm").readAll(maximum: 1000)) ?? []
        let used = String(decoding: text, as: UTF8.self).split(separator: " ").prefix(2).map {
            (Int($0) ?? 0) * pageSize
        }
        var left = max(0, limit - (used.last ?? 0))
        if let bytes = Platform.addressSpaceLimit {
            limit = min(limit, bytes)
            left = min(left, max(0, bytes - (used.first ?? 0)))
        }
        (self.limit, self.left) = (limit, left)
    }
}
