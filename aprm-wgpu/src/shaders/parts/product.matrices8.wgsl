// The matrices of Metal's GPUs and of Mesa's software.
enable f16;
enable wgpu_cooperative_matrix;
const TILE = 8u;
alias Left = coop_mat8x8<f16, A>;
alias Right = coop_mat8x8<f16, B>;
alias Sum = coop_mat8x8<f32, C>;
#import matrices
