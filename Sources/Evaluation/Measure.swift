// The numbers that an evaluation gives, one for all records.

/// A measure of a classifier. Those after ``mcc`` need probabilities.
public enum Measure: String, Sendable, CaseIterable {
    /// Correct of all.
    case accuracy
    /// The mean recall of the labels that occur.
    case balancedAccuracy = "balanced_accuracy"
    /// The mean precision of all labels; 0 for a label that nothing got.
    case macroPrecision = "macro_precision"
    /// The mean recall of all labels; 0 for a label that nothing has.
    case macroRecall = "macro_recall"
    /// The mean F1 of all labels.
    case macroF1 = "macro_f1"
    /// The correlation of expected and predicted labels, −1 … 1 (Matthews 1975; Gorodkin 2004); 0 where one of them is always
    /// the same.
    case mcc
    /// The area under the ROC curve; of more than two labels the mean of each against the others. None where one of them
    /// doesn't occur.
    case rocAUC = "roc_auc"
    /// Average precision, the area under the steps of the precision-recall curve: of the positive label, or, of more than two,
    /// the mean.
    case averagePrecision = "average_precision"
    /// The largest recall of the positive label at which at most a stated share of the others is taken for it; of more than
    /// two labels the mean.
    case recallAtFPR = "recall_at_fpr"
    /// The mean of −log p of the expected label, in nats; p is at least 2⁻⁵².
    case logLoss = "log_loss"
    /// The mean squared difference of probabilities and truth: of the positive label where there are two, otherwise summed over
    /// all.
    case brier
    /// Expected calibration error (Naeini et al. 2015): between the probability of the likeliest label and the share of records
    /// that have it, the mean difference over 15 bins of equal width.
    case ece

    /// Whether it is a share of records, and shown in per cent.
    public var isShare: Bool {
        [.accuracy, .balancedAccuracy, .macroPrecision, .macroRecall, .macroF1, .recallAtFPR].contains(self)
    }
    /// Whether labels alone don't give it.
    public var needsProbabilities: Bool {
        [.rocAUC, .averagePrecision, .recallAtFPR, .logLoss, .brier, .ece].contains(self)
    }
}
