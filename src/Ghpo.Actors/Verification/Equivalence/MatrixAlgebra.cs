using System.Collections.Immutable;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>Matrices of expressions, up to 400 entries. Null where the shapes do not fit.</summary>
internal static class MatrixAlgebra
{
    /// <summary>Products of symbols grow with every factor: matrices of more nodes are not multiplied on.</summary>
    private const int MaxSize = 800;

    public static Matrix? Add(Matrix a, Matrix b) =>
        a.Rows.Length != b.Rows.Length || a.Columns != b.Columns ? null
        : Build(a.Rows.Length, a.Columns, (i, j) => new Sum([a.Rows[i][j], b.Rows[i][j]]));

    public static Matrix? Multiply(Matrix a, Matrix b) =>
        a.Columns != b.Rows.Length || (long)a.Rows.Length * a.Columns * b.Columns > 2_000 || ExpressionTree.Size(a) + ExpressionTree.Size(b) > MaxSize ? null
        : Build(a.Rows.Length, b.Columns, (i, j) => new Sum([.. Enumerable.Range(0, a.Columns).Select(k => new Product([a.Rows[i][k], b.Rows[k][j]]))]));

    public static Matrix Scale(Matrix a, Expr factor) =>
        factor is Number { Value.IsOne: true } ? a : Build(a.Rows.Length, a.Columns, (i, j) => new Product([factor, a.Rows[i][j]]));

    public static Matrix Transpose(Matrix a) => Build(a.Columns, a.Rows.Length, (i, j) => a.Rows[j][i]);

    public static Expr Power(Matrix a, int n)
    {
        Matrix? result = a;
        for (int i = 1; i < n && result is not null; i++)
        {
            result = Multiply(result, a);
        }

        return result is null ? Constant.Undefined : result;
    }

    /// <summary>By the first row; null for matrices that are not square or larger than 5 by 5.</summary>
    public static Expr? Determinant(Matrix a)
    {
        int n = a.Rows.Length;
        if (n != a.Columns || n > 5 || ExpressionTree.Size(a) > MaxSize / 4)
        {
            return null;
        }

        return Minor([.. Enumerable.Range(0, n)], 0);

        Expr Minor(ImmutableArray<int> columns, int row)
        {
            if (columns.Length == 1)
            {
                return a.Rows[row][columns[0]];
            }

            return new Sum([.. columns.Select((column, k) =>
                new Product([Expr.Of(k % 2 == 0 ? 1 : -1), a.Rows[row][column], Minor(columns.RemoveAt(k), row + 1)]))]);
        }
    }

    /// <summary>The adjugate over the determinant; null where there is no determinant, or it is 0.</summary>
    public static Matrix? Inverse(Matrix a)
    {
        int n = a.Rows.Length;
        if (n > 4 || Determinant(a) is not Expr written || Simplifier.Simplify(written) is not Expr determinant || determinant is Number { Value.IsZero: true } or Constant { Kind: ConstantKind.Undefined })
        {
            return null;
        }

        return Build(n, n, (i, j) => new Product([Expr.Of((i + j) % 2 == 0 ? 1 : -1), n == 1 ? Expr.One : Determinant(Without(a, j, i))!, new Power(determinant, Expr.MinusOne)]));
    }

    private static Matrix Without(Matrix a, int row, int column) => new([.. a.Rows.RemoveAt(row).Select(entries => entries.RemoveAt(column))]);

    private static Matrix Build(int rows, int columns, Func<int, int, Expr> entry) =>
        new([.. Enumerable.Range(0, rows).Select(i => Enumerable.Range(0, columns).Select(j => Simplifier.Simplify(entry(i, j))).ToImmutableArray())]);
}
