// The parts that a training step is made of, one at a time.

import GPT2Kit
import Records
import TestSupport
import Testing

struct TrainingPartsTests {
    @Test("gradient norms are the same on any number of threads, and clipping leaves short gradients")
    func clipping() throws {
        var generator = SeededGenerator(seed: 71)
        let tensors = try [100_003, 7].map { try Tensor(random: [$0], &generator) }
        let squares = tensors.flatMap(\.array).reduce(0.0) { $0 + Double($1) * Double($1) }
        let before = tensors.flatMap(\.array)
        for threads in [1, 2, 3] {
            let vector = GradientVector(tensors, workers: Workers(count: threads))
            #expect(vector.norm() == GradientVector(tensors, workers: Workers(count: 1)).norm())
            #expect(abs(vector.norm() - squares.squareRoot()) < 1e-9 * squares.squareRoot())
            #expect(vector.clip(norm: 1e6) == vector.norm())
            #expect(tensors.flatMap(\.array) == before)
        }
        let vector = GradientVector(tensors, workers: Workers(count: 2))
        let norm = vector.norm()
        #expect(vector.clip(norm: 2) == norm)
        #expect(abs(vector.norm() - 2) < 1e-5)
    }

    @Test("warm-ups are whole steps or shares below 1")
    func warmups() {
        #expect(LearningRateSchedule.Warmup("12") == .steps(12))
        #expect(LearningRateSchedule.Warmup("0") == .steps(0))
        #expect(LearningRateSchedule.Warmup("0.1") == .share(0.1))
        #expect(LearningRateSchedule.Warmup("1e-2") == .share(0.01))
        for text in ["-1", "1.5", "1.0", "nan", "", "ten", "99999999999999999999"] {
            #expect(LearningRateSchedule.Warmup(text) == nil, "\(text)")
        }
    }

    @Test("schedules of endless runs stay numbers")
    func endlessSchedules() {
        var schedule = LearningRateSchedule()
        for shape in LearningRateSchedule.Shape.allCases {
            for warmup in [LearningRateSchedule.Warmup.steps(.max), .share(0.999), .steps(0)] {
                (schedule.shape, schedule.warmup) = (shape, warmup)
                for step in [0, 1, 1 << 40] {
                    #expect((0...1).contains(schedule.factor(step: step, of: .max)))
                }
            }
        }
    }

    @Test("names of layers are the ends of their full names")
    func layerNames() {
        #expect(LoRA.Layer.named("c_proj") == [.attentionProjection, .mlpProjection])
        #expect(LoRA.Layer.named("mlp.c_proj") == [.mlpProjection])
        #expect(LoRA.Layer.named("c_attn") == [.attention] && LoRA.Layer.named("c_fc") == [.mlpFC])
        #expect(LoRA.Layer.named("head") == [.head] && LoRA.Layer.named("score") == [.head])
        for word in ["", "proj", "c_proj ", "attn", "wte"] { #expect(LoRA.Layer.named(word).isEmpty, "\(word)") }
    }

    @Test("the best evaluation is the first of tied ones")
    func tiedEvaluations() {
        var best = BestEvaluation()
        #expect(best.note(2, step: 0) && !best.note(2, step: 1) && !best.note(3, step: 2))
        #expect(best.loss == 2 && best.step == 0 && best.evaluationsSince == 2)
        #expect(best.note(1, step: 3) && best.step == 3 && best.evaluationsSince == 0)
        #expect(best == BestEvaluation(loss: 1, step: 3, evaluationsSince: 0))
    }
}
